"""What this person may do with an environment now, and why not: one answer for page and API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from environments.models import Environment, Hold
from environments.permissions import refusal
from portal.accounts.models import User


@dataclass(frozen=True)
class Ability:
    """`allowed`, or the `reason` why not."""

    allowed: bool
    reason: str = ""


# name of the ability -> the verb of permissions.VERBS
ABILITIES: Final = {
    "can_edit": "environment.update",
    "can_clone": "environment.clone",
    "can_hold": "environment.hold",
    "can_release": "environment.release",
    "can_retire": "environment.retire",
    "can_define": "definition.create",
    "can_request": "change.request",
    "can_change_policy": "policy.update",
}


def abilities(
    environment: Environment, user: User, roles: Iterable[str], hold: Hold | None
) -> dict[str, Ability]:
    """Every act on the environment with the answer for this person. Asks the database nothing.

    `hold` is the one that stands, if any; its placer may lift it whatever their roles.
    """
    held = frozenset(roles)
    found = {}
    for name, verb in ABILITIES.items():
        placed = name == "can_release" and hold is not None and hold.placed_by_id == user.pk
        reason = None if placed else refusal(held, verb)
        reason = reason or _state(environment, name, hold)
        found[name] = Ability(allowed=not reason, reason=reason or "")
    return found


def _state(environment: Environment, name: str, hold: Hold | None) -> str:
    if name == "can_release":
        return "" if hold else _("It is not on hold.")
    if environment.retired_at is not None and name != "can_clone":
        return _("The environment is retired.")
    if name == "can_hold" and hold:
        return _("It is on hold already.")
    if name in ("can_define", "can_request") and not environment.blueprint:
        return _("It is described only: there is no blueprint yet.")
    return ""
