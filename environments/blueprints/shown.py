"""Definitions and comparisons as the pages show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from environments.blueprints.exact import Value
from environments.blueprints.snapshots import snapshot_of
from environments.blueprints.validation import effective
from environments.models import Definition, Environment
from portal.accounts.models import User


@dataclass(frozen=True)
class ValueRow:
    """One variable of a definition: where its value comes from is "own", "default", "missing" or "secret"."""

    name: str
    description: str
    type: str
    value: Value
    origin: str
    is_set: bool = True


def value_rows(definition: Definition) -> list[ValueRow]:
    """Every variable with the value in force; of a secret only whether it is set."""
    schema = snapshot_of(definition.snapshot).schema
    values = effective(schema, definition.variables)
    rows = []
    for variable in schema:
        name = variable.name
        if variable.sensitive:
            origin, value, is_set = "secret", None, name in definition.sensitive or variable.has_default
        elif name in definition.variables:
            origin, value, is_set = "own", values[name], True
        else:
            origin = "default" if variable.has_default else "missing"
            value, is_set = values.get(name), variable.has_default
        rows.append(ValueRow(name, variable.description, str(variable.type), value, origin, is_set))
    return rows


def without_title(readme: str) -> str:
    """The README less its heading: the page has a title of its own."""
    return re.sub(r"\A\s*# +.+\n", "", readme)


def environment_url(environment: Environment) -> str:
    """The environment's own page, which another app owns; "" while that is not installed."""
    try:
        return reverse("environments:detail", args=[environment.tenant.slug, environment.slug])
    except NoReverseMatch:
        return ""


def crumbs(environment: Environment, title: str) -> list[dict[str, str]]:
    """Tenant / environment / this page."""
    all_of_them = reverse("blueprints:definitions", args=[environment.tenant.slug, environment.slug])
    return [
        {"label": str(environment), "url": environment_url(environment)},
        {"label": _("Definitions"), "url": all_of_them},
        {"label": title, "url": ""},
    ]


@dataclass(frozen=True)
class Question:
    """What a comparison was asked for: two numbers and, perhaps, another environment ("tenant.slug")."""

    a: int | None
    b: int | None
    other: str

    @classmethod
    def from_query(cls, query: Mapping[str, Any]) -> Question:
        return cls(_number(query.get("a", "")), _number(query.get("b", "")), str(query.get("with", "")))


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII) else None


def comparable(user: User, place: Environment) -> list[tuple[str, str]]:
    """(id, name) of the environments to compare with: of the same blueprint, with a definition."""
    found = (
        Environment.objects.visible_to(user)
        .select_related("tenant")
        .filter(blueprint=place.blueprint)
        .exclude(blueprint="")
        .exclude(pk=place.pk)
        .filter(definitions__isnull=False)
        .distinct()[:200]
    )
    return [(environment.key, str(environment)) for environment in found]
