"""Accepting drift: which variable of the blueprint a drifted attribute comes from, if it comes from just one.

Followed are plain references only: `var.x`, `var.x.y`, handed on by module calls as they are. Anything that is
computed, fixed or picked by a key has no value that could be set instead; then the reason is said.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.blueprints.actions import snapshot_for
from environments.blueprints.models import BlueprintSnapshot
from environments.blueprints.validation import effective
from environments.models import Definition, Environment
from environments.runs.blueprint_sources import Block, Sources, parse_address
from portal.core.errors import GatehouseError

_REFERENCE: Final = re.compile(r"var\.([A-Za-z_][\w-]*)((?:\.[A-Za-z_][\w-]*)*)")
_STEP: Final = re.compile(r'\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]')
MOST_SHOWN: Final = 120


@dataclass(frozen=True)
class Acceptance:
    """The variable to set: `path` leads into it, from the newest definition's value to what stands in AWS."""

    variable: str
    path: tuple[str, ...]
    before: Any
    after: Any

    @property
    def name(self) -> str:
        return ".".join((self.variable, *self.path))


class CannotAccept(Exception):
    """No variable of the blueprint stands for this attribute; the message says why."""


def acceptance(environment: Environment, row: Mapping[str, Any], path: str) -> Acceptance:
    """What accepting this attribute of a drift row would set. Raises CannotAccept, GatehouseError."""
    wanted = _wanted(row, path)
    definition = environment.latest_definition
    if definition is None:
        raise CannotAccept(_("There is no definition to put it into."))
    snapshot = snapshot_for(environment)
    try:
        sources = Sources.of(snapshot)
    except GatehouseError as damaged:
        raise CannotAccept(damaged.message) from damaged
    variable, steps = _variable(sources, str(row["address"]), path)
    before = _current(snapshot, definition, variable, steps)
    if before == wanted:
        raise CannotAccept(
            _("Definition %(n)s says so already; it only needs to be applied.") % {"n": definition.number}
        )
    return Acceptance(variable, steps, before, wanted)


def values_with(environment: Environment, found: Acceptance) -> dict[str, Any]:
    """The newest definition's variables with this one set."""
    definition = environment.latest_definition
    assert definition is not None
    snapshot = snapshot_for(environment)
    values = dict(definition.variables)
    if not found.path:
        return {**values, found.variable: found.after}
    whole: Any = copy.deepcopy(effective(snapshot.schema, values).get(found.variable))
    part = whole
    for step in found.path[:-1]:
        part = part[step]
    part[found.path[-1]] = found.after
    return {**values, found.variable: whole}


def _wanted(row: Mapping[str, Any], path: str) -> Any:
    """The value that stands in AWS."""
    if row["action"] != "update":
        raise CannotAccept(_("The resource itself is gone or would be replaced; a value cannot say that."))
    found = next((one for one in row["attributes"] if one["path"] == path), None)
    if found is None:
        raise CannotAccept(_("The last look no longer shows this attribute."))
    if found.get("sensitive"):
        raise CannotAccept(_("The value is secret, so the portal does not know it: set it in the form."))
    if found.get("before") is None:
        raise CannotAccept(_("In AWS it has no value; write what is meant in the form."))
    return found["before"]


def _variable(sources: Sources, address: str, path: str) -> tuple[str, tuple[str, ...]]:
    """(root variable, way into it) of a resource's attribute."""
    parts, block = parse_address(address), sources.resource(address)
    if parts is None or block is None:
        raise CannotAccept(_("The blueprint as it is now does not have this resource."))
    source, rest, place = _attribute(block, path)
    modules = [name for name, _keyed in parts.modules]
    while True:
        reference = _REFERENCE.fullmatch(source.strip())
        if reference is None:
            raise CannotAccept(_not_plain(source, place, bool(modules)))
        name, inner = reference[1], tuple(filter(None, reference[2].split(".")))
        rest = (*inner, *rest)
        if not modules:
            return name, rest
        call = sources.call(modules)
        if call is None:
            raise CannotAccept(_("The call of module %(name)s was not found.") % {"name": modules[-1]})
        handed = call.attribute(name)
        if handed is None:
            raise CannotAccept(
                _("%(place)s leaves %(name)s at the module's default; give it there first.")
                % {"place": _where(call), "name": name}
            )
        source, place, modules = handed, _where(call), modules[:-1]


def _where(block: Block) -> str:
    return _("%(file)s, line %(line)s,") % {"file": block.file, "line": block.line}


def _not_plain(source: str, place: str, inside: bool) -> str:  # noqa: FBT001
    shown = source if len(source) <= MOST_SHOWN else source[:MOST_SHOWN] + "…"
    if re.search(r"\b(var|local|each|module|data|count)\.|\(", source):
        return _("%(place)s works it out (%(source)s): change the blueprint.") % {
            "place": place,
            "source": shown,
        }
    return _("%(place)s has it fixed (%(source)s): change the blueprint.") % {"place": place, "source": shown}


def steps_of(path: str) -> list[str | int] | None:
    """`rule[0].tags["a b"]` taken apart; None when it is no path."""
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            return None
        steps.append(int(found[2]) if found[2] else (found[1] or found[3]))
        at = found.end()
    return steps


def _attribute(block: Block, path: str) -> tuple[str, tuple[str, ...], str]:
    """(expression, way on inside its value, place) of an attribute, through nested blocks where the path goes on."""
    steps = steps_of(path)
    if not steps:
        raise CannotAccept(_("The attribute's path could not be read."))
    here = block
    while steps:
        name = str(steps.pop(0))
        source = here.attribute(name)
        if source is not None:
            if any(isinstance(step, int) for step in steps):
                raise CannotAccept(_("It is one of a list, whose order AWS may change: set it in the form."))
            return source, tuple(map(str, steps)), _where(here)
        nested = here.inner(name)
        index = steps.pop(0) if steps and isinstance(steps[0], int) else 0
        if not nested or len(nested) != 1 or index != 0:
            break
        here = nested[0]
    raise CannotAccept(
        _("%(place)s says nothing about it: Terraform or AWS fills it in. Change the blueprint.")
        % {"place": _where(here)}
    )


def _current(
    snapshot: BlueprintSnapshot, definition: Definition, variable: str, steps: tuple[str, ...]
) -> Any:
    known = {one.name: one for one in snapshot.schema}
    if variable not in known:
        raise CannotAccept(_("The blueprint has no variable %(name)s.") % {"name": variable})
    if known[variable].sensitive:
        raise CannotAccept(_("%(name)s is a secret variable: set it in the form.") % {"name": variable})
    value = effective(snapshot.schema, definition.variables).get(variable)
    for step in steps[:-1] if steps else ():
        value = value.get(step) if isinstance(value, Mapping) else None
    if steps:
        if not isinstance(value, Mapping):
            raise CannotAccept(_("%(name)s has no such part: set it in the form.") % {"name": variable})
        value = value.get(steps[-1])
    return value
