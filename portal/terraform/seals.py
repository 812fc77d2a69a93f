"""Stand-ins for the values of a plan that are not shown, to tell whether two plans mean the same by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.core.canonical import canonical_json
from portal.terraform.differences import ABSENT, AttributeChange, RawChange
from portal.terraform.plan import OutputChange, ResourceChange

Seal = tuple[str, str]


def seals(change: ResourceChange, *, hmac: Callable[[bytes], str]) -> tuple[Seal | None, ...]:
    """For each of the change's attributes the keyed digests of its real values before and after.

    None where the attribute is shown as it is; an empty text where the value is known only after apply.
    """
    told = [raw for raw in change.raw if raw.worth_telling]
    return tuple(
        _seal(raw, hmac) if _hidden(raw, shown) else None
        for raw, shown in zip(told, change.attributes, strict=True)
    )


def output_seal(change: OutputChange, *, hmac: Callable[[bytes], str]) -> Seal | None:
    """As `seals`, for an output as a whole."""
    if not change.sensitive:
        return None
    before = [[raw.steps, _value(raw.before)] for raw in change.raw]
    after = [[raw.steps, _value(raw.after)] for raw in change.raw]
    return hmac(canonical_json(before)), "" if change.unknown else hmac(canonical_json(after))


def _hidden(raw: RawChange, shown: AttributeChange) -> bool:
    """Whether the page shows less than there is: marked, masked as a whole or somewhere inside."""
    before, after = _value(raw.before), None if raw.unknown else _value(raw.after)
    return shown.sensitive or shown.before != before or shown.after != after


def _seal(raw: RawChange, hmac: Callable[[bytes], str]) -> Seal:
    return (
        hmac(canonical_json(_value(raw.before))),
        "" if raw.unknown else hmac(canonical_json(_value(raw.after))),
    )


def _value(value: Any) -> Any:
    return None if value is ABSENT else value
