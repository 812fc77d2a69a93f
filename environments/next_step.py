"""The one thing to do next in an environment: what its page offers as its primary action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from environments.abilities import Ability
from environments.models import Definition, Environment


@dataclass(frozen=True)
class Step:
    label: str
    url: str
    icon: str


def next_step(
    environment: Environment, definition: Definition | None, able: Mapping[str, Ability], *, built: bool
) -> Step | None:
    """None when this person has nothing to do here. `built`: its state holds resources."""
    slugs = [environment.tenant.slug, environment.slug]
    edit = reverse("environments:edit", args=slugs)
    steps = (
        (not environment.blueprint, "can_edit", _("Choose its blueprint"), edit, "outline/stack-2"),
        (environment.account is None, "can_edit", _("Choose its AWS account"), edit, "outline/cloud"),
        (
            definition is None,
            "can_define",
            _("Write the definition"),
            reverse("blueprints:define", args=slugs),
            "outline/pencil",
        ),
        (
            not built,
            "can_request",
            _("Request the first run"),
            reverse("runs:request", args=slugs),
            "outline/player-play",
        ),
        (
            True,
            "can_define",
            _("Edit the definition"),
            reverse("blueprints:define", args=slugs),
            "outline/pencil",
        ),
    )
    for applies, ability, label, url, icon in steps:
        if applies:
            return Step(label, url, icon) if able[ability].allowed else None
    return None
