"""Definitions and comparisons as the pages show them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from environments.blueprints.conversion import Faults, convert, member_path
from environments.blueprints.exact import Value, write_json
from environments.blueprints.snapshots import snapshot_of
from environments.blueprints.types import Collection, ObjectType, Type, short_type
from environments.blueprints.validation import effective
from environments.blueprints.variables import Variable
from environments.models import Definition, Environment
from portal.accounts.models import User

NOTHING: Any = object()
SHORT = 28


@dataclass(frozen=True)
class ValueRow:
    """One plain value of a definition. `origin`: "own", "default", "missing" or "secret"."""

    name: str
    value: Value
    origin: str
    is_set: bool = True


def value_rows(definition: Definition) -> list[ValueRow]:
    """Every value in force, objects opened to their attributes; of a secret only whether it is set."""
    schema = snapshot_of(definition.snapshot).schema
    values = effective(schema, definition.variables)
    rows: list[ValueRow] = []
    for variable in schema:
        name = variable.name
        if variable.sensitive:
            is_set = name in definition.sensitive or variable.has_default
            rows.append(ValueRow(name, None, "secret", is_set))
        elif name in values:
            default = values[name] if name not in definition.variables else NOTHING
            rows += _leaves(name, values[name], variable.type, default)
        else:
            rows.append(ValueRow(name, None, "missing", is_set=False))
    return rows


def _leaves(path: str, value: Value, wanted: Type, default: Any) -> Iterator[ValueRow]:
    """`default`: what the value would be without the definition, NOTHING when there is no such."""
    if isinstance(wanted, ObjectType) and isinstance(value, dict):
        for name, attribute in wanted.attributes.items():
            inner = convert(attribute.default, attribute.type, Faults(), strict=False)
            usual = inner if attribute.optional else NOTHING
            yield from _leaves(member_path(path, name), value.get(name), attribute.type, usual)
    else:
        yield ValueRow(path, value, "default" if default is not NOTHING and value == default else "own")


@dataclass(frozen=True)
class VariableRow:
    """A variable, or one attribute of it, as the blueprint's page lists it."""

    name: str
    type: str
    required: bool
    default: Value
    variable: Variable | None = None

    @property
    def inner(self) -> bool:
        return self.variable is None

    @property
    def is_short(self) -> bool:
        """Short enough to stand on one line."""
        return len(write_json(self.default)) <= SHORT


def variable_rows(schema: Iterable[Variable]) -> Iterator[VariableRow]:
    """Every variable, each followed by the attributes of the object it is or holds."""
    for variable in schema:
        default = variable.effective_default if not isinstance(variable.type, ObjectType) else None
        yield VariableRow(variable.name, short_type(variable.type), variable.required, default, variable)
        yield from _attributes(variable.name, variable.type)


def _attributes(path: str, wanted: Type) -> Iterator[VariableRow]:
    if isinstance(wanted, Collection):
        yield from _attributes(f"{path}[…]", wanted.element)
    if isinstance(wanted, ObjectType):
        for name, attribute in wanted.attributes.items():
            inner = member_path(path, name)
            yield VariableRow(inner, short_type(attribute.type), not attribute.optional, attribute.default)
            yield from _attributes(inner, attribute.type)


def without_title(readme: str) -> str:
    """The README less its heading: the page has a title of its own."""
    return re.sub(r"\A\s*# +.+\n", "", readme)


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
