"""Read the JSON of a saved plan (`terraform show -json PLAN`) into something that can be judged and
shown.

Format: https://developer.hashicorp.com/terraform/internals/json-format, major version 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from portal.terraform.differences import (
    AttributeChange,
    Marks,
    RawChange,
    is_nothing,
    object_changes,
    present,
    value_changes,
)
from portal.terraform.documents import MASK, Steps, any_mark, child, load_document, path_text
from portal.terraform.effects import effects_of
from portal.terraform.errors import PlanUnreadable
from portal.terraform.plan_effects import across
from portal.terraform.secrets import SecretMatcher, masked, plan_secrets
from portal.terraform.unmarked import with_guesses

Action = Literal["create", "update", "delete", "replace", "read", "forget", "import", "move", "no-op"]
Order = Literal["create_before_destroy", "delete_first", ""]

_ACTIONS: Mapping[tuple[str, ...], tuple[Action, Order]] = {
    ("no-op",): ("no-op", ""),
    ("create",): ("create", ""),
    ("read",): ("read", ""),
    ("update",): ("update", ""),
    ("delete",): ("delete", ""),
    ("forget",): ("forget", ""),
    ("delete", "create"): ("replace", "delete_first"),
    ("create", "delete"): ("replace", "create_before_destroy"),
    ("create", "forget"): ("replace", "create_before_destroy"),
    ("forget", "create"): ("replace", "delete_first"),
}


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What the plan does to one resource instance. `before` and `after` are masked objects, None where
    absent.

    `reason` is Terraform's action_reason; `unknown_paths` are known only after apply; `effects` are codes
    of `effects.EFFECTS`; `raw` holds real values, for the digest only.
    """

    address: str
    module: str
    mode: str
    type: str
    name: str
    index: str | int | None
    provider: str
    action: Action
    order: Order
    reason: str
    previous_address: str
    deposed: str
    import_id: str
    replace_paths: tuple[str, ...]
    unknown_paths: tuple[str, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    attributes: tuple[AttributeChange, ...]
    effects: tuple[str, ...]
    raw: tuple[RawChange, ...] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class OutputChange:
    """What the plan does to one output; values masked; `after` is None while unknown."""

    name: str
    action: Action
    before: Any
    after: Any
    unknown: bool
    sensitive: bool
    raw: tuple[RawChange, ...] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Drift:
    """What the refresh found different from the state. Most of it means nothing to a person (null against
    {}):

    `significant` says that a value really differs and this plan acts on that resource. Whether an
    environment has drifted is judged by `Plan.changes` of a plan of the applied definition, not by this
    list.
    """

    address: str
    action: Action
    attributes: tuple[AttributeChange, ...]
    significant: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. `changes` leaves out what stays as it is, in Terraform's order; `counts` has every action,
    unchanged too.
    """

    terraform_version: str
    format_version: str
    applyable: bool
    complete: bool
    errored: bool
    changes: tuple[ResourceChange, ...]
    outputs: tuple[OutputChange, ...]
    drift: tuple[Drift, ...]
    counts: Mapping[Action, int]
    secrets: frozenset[str] = field(repr=False)

    @property
    def is_empty(self) -> bool:
        """Nothing would be altered: no resource, no state entry, no output. Reading data alters nothing."""
        return not self.outputs and all(change.action == "read" for change in self.changes)


def read_plan(source: bytes | str | Path, *, known: Iterable[str] = ()) -> Plan:
    """Parse a plan document; `known` are secrets besides those it marks. Errors: `PlanUnreadable`, whatever the
    input.
    """
    document = load_document(source, PlanUnreadable, "plan")
    version = document.get("format_version")
    if not isinstance(version, str) or version.partition(".")[0] != "1":
        raise PlanUnreadable(f"The plan has format version {version!r}; this portal reads version 1.")
    if "planned_values" not in document:
        # A state shown as JSON has a format version too, and would look like a plan that changes nothing.
        raise PlanUnreadable("The document is not a plan: it has no planned values.")
    try:
        return _plan(document, version, frozenset(known))
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        raise PlanUnreadable("The plan does not have the shape that Terraform documents.") from error


def _plan(document: dict[str, Any], version: str, known: frozenset[str]) -> Plan:
    secrets = plan_secrets(document) | known
    matcher = SecretMatcher(secrets)
    everything = [_resource_change(entry, matcher) for entry in _objects(document, "resource_changes")]
    changes = across(tuple(change for change in everything if change.action != "no-op"))
    outputs = (
        _output_change(name, change, matcher) for name, change in sorted(_output_changes(document).items())
    )
    touched = {change.address for change in changes}
    return Plan(
        terraform_version=str(document.get("terraform_version", "")),
        format_version=version,
        applyable=document.get("applyable") is not False,
        complete=document.get("complete") is not False,
        errored=document.get("errored") is True,
        changes=changes,
        outputs=tuple(output for output in outputs if output.action != "no-op"),
        drift=tuple(_drift(entry, matcher, touched) for entry in _objects(document, "resource_drift")),
        counts=Counter(change.action for change in everything),
        secrets=secrets,
    )


def _objects(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = [] if document.get(key) is None else document[key]
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise PlanUnreadable(f"The plan's {key} are not a list of objects.")
    return found


def _output_changes(document: dict[str, Any]) -> dict[str, Any]:
    found = document.get("output_changes")
    if found is not None and not isinstance(found, dict):
        raise PlanUnreadable("The plan's output_changes are not an object.")
    return found or {}


def _resource_change(entry: dict[str, Any], matcher: SecretMatcher) -> ResourceChange:
    change: dict[str, Any] = entry["change"]
    action, order = _action(entry, change)
    marks = _marks(change)
    paths: tuple[Steps, ...] = tuple(tuple(path) for path in change.get("replace_paths") or ())
    raw = () if action == "no-op" else tuple(object_changes(change.get("before"), change.get("after"), marks))
    attributes = tuple(
        present(one, holds_secret=matcher.holds_secret, replace_paths=paths)
        for one in raw
        if one.worth_telling
    )
    before = _masked(change.get("before"), marks.before, matcher, skip=action == "no-op")
    after = _masked(change.get("after"), marks.after, matcher, skip=action == "no-op")
    kind = str(entry.get("type", ""))
    return ResourceChange(
        address=str(entry["address"]),
        module=str(entry.get("module_address", "")),
        mode=str(entry.get("mode", "managed")),
        type=kind,
        name=str(entry.get("name", "")),
        index=entry.get("index"),
        provider=str(entry.get("provider_name", "")),
        action=action,
        order=order,
        reason=str(entry.get("action_reason", "")),
        previous_address=str(entry.get("previous_address", "")),
        deposed=str(entry.get("deposed", "")),
        import_id=_import_id(change),
        replace_paths=tuple(path_text(path) for path in paths),
        unknown_paths=tuple(path_text(path) for path in _unknown_paths(marks.unknown)),
        before=before,
        after=after,
        attributes=attributes,
        effects=effects_of(kind, action, attributes, before, after),
        raw=raw,
    )


def _action(entry: dict[str, Any], change: dict[str, Any]) -> tuple[Action, Order]:
    actions = change["actions"]
    known = _ACTIONS.get(tuple(actions))
    if known is None:
        raise PlanUnreadable(
            f"The plan wants to {' and '.join(map(str, actions))}, which this portal does not know."
        )
    # Both may come with an update too; then the update is what matters and the rest stays readable beside
    # it.
    if known[0] == "no-op" and change.get("importing"):
        return "import", ""
    if known[0] == "no-op" and entry.get("previous_address") not in (None, "", entry.get("address")):
        return "move", ""
    return known


def _marks(change: dict[str, Any]) -> Marks:
    return Marks(
        change.get("after_unknown"),
        with_guesses(change.get("before"), change.get("before_sensitive")),
        with_guesses(change.get("after"), change.get("after_sensitive")),
    )


def _masked(value: Any, marks: Any, matcher: SecretMatcher, *, skip: bool) -> dict[str, Any] | None:
    if skip or not isinstance(value, dict):
        return None
    shown = masked(value, marks, matcher.holds_secret)
    return shown if isinstance(shown, dict) else {"": MASK}


def _import_id(change: dict[str, Any]) -> str:
    importing = change.get("importing")
    return str(importing.get("id", "")) if isinstance(importing, dict) else ""


def _unknown_paths(mark: Any, steps: Steps = ()) -> Iterator[Steps]:
    if mark is True:
        yield steps
    elif isinstance(mark, dict):
        for key, part in sorted(mark.items()):
            yield from _unknown_paths(part, (*steps, key))
    elif isinstance(mark, list):
        for index, part in enumerate(mark):
            yield from _unknown_paths(part, (*steps, index))


def _output_change(name: str, change: dict[str, Any], matcher: SecretMatcher) -> OutputChange:
    marks = _output_marks(name, change)
    unknown = any_mark(marks.unknown)
    return OutputChange(
        name=name,
        action=_action({}, change)[0],
        before=masked(change.get("before"), marks.before, matcher.holds_secret),
        after=None if unknown else masked(change.get("after"), marks.after, matcher.holds_secret),
        unknown=unknown,
        sensitive=any_mark(marks.before) or any_mark(marks.after),
        raw=tuple(value_changes(change.get("before"), change.get("after"), marks)),
    )


def _output_marks(name: str, change: dict[str, Any]) -> Marks:
    """As `_marks`; an output's own name may tell a secret too."""
    before, after = (
        with_guesses({name: change.get(side)}, {name: change.get(f"{side}_sensitive")})
        for side in ("before", "after")
    )
    return Marks(change.get("after_unknown"), child(before, name), child(after, name))


def _drift(entry: dict[str, Any], matcher: SecretMatcher, touched: set[str]) -> Drift:
    change: dict[str, Any] = entry["change"]
    raw = object_changes(change.get("before"), change.get("after"), _marks(change))
    attributes = tuple(present(one, holds_secret=matcher.holds_secret) for one in raw)
    address = str(entry["address"])
    action = _action({}, change)[0]
    differs = action == "delete" or any(_says_something(one) for one in attributes)
    return Drift(address, action, attributes, significant=differs and address in touched)


def _says_something(change: AttributeChange) -> bool:
    """Whether a person would call it a difference."""
    return not (is_nothing(change.before) and is_nothing(change.after))
