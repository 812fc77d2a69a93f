"""Read a Terraform state document (version 4): what exists, what it is called, what is different from
another state.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from portal.terraform.differences import AttributeChange, Marks, object_changes, present
from portal.terraform.documents import load_document
from portal.terraform.errors import StateUnreadable
from portal.terraform.secrets import SecretMatcher, masked, sensitive_marks, state_secrets


@dataclass(frozen=True, slots=True)
class StateResource:
    """One resource instance. `attributes` are masked; `id`, `arn` and `region` are "" where the type has
    none.

    `deposed` is the key of an object that a replacement has left behind. `tainted`: the next plan
    replaces it.
    """

    address: str
    module: str
    mode: str
    type: str
    name: str
    index: str | int | None
    provider: str
    id: str
    arn: str
    region: str
    deposed: str
    tainted: bool
    attributes: dict[str, Any]
    _raw: dict[str, Any] = field(repr=False, compare=False)
    _marks: Any = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class StateOutput:
    """One output; `value` is the real one even when `sensitive`: encrypt it and mask it on pages. `type`
    is JSON.
    """

    name: str
    value: Any = field(repr=False)
    type: Any
    sensitive: bool


@dataclass(frozen=True)
class State:
    """A state. `serial` grows with every write within one `lineage`; `resources` include data sources."""

    lineage: str
    serial: int
    terraform_version: str
    resources: tuple[StateResource, ...]
    outputs: tuple[StateOutput, ...]
    secrets: frozenset[str] = field(repr=False)

    @cached_property
    def managed(self) -> tuple[StateResource, ...]:
        """The instances that Terraform made or imported, without data sources."""
        return tuple(resource for resource in self.resources if resource.mode == "managed")

    @property
    def resource_count(self) -> int:
        """Number of managed instances."""
        return len(self.managed)


@dataclass(frozen=True, slots=True)
class ResourceDifference:
    """`kind` is added, removed or changed; `attributes` (masked) only for changed."""

    address: str
    type: str
    kind: str
    attributes: tuple[AttributeChange, ...] = ()


def read_state(source: bytes | str | Path) -> State:
    """Parse a state document. Errors: `StateUnreadable`, whatever the input."""
    document = load_document(source, StateUnreadable, "state")
    if document.get("version") != 4:
        raise StateUnreadable(
            f"The state has version {document.get('version')!r}; this portal reads version 4."
        )
    try:
        return _state(document)
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        raise StateUnreadable("The state does not have the shape that Terraform writes.") from error


def state_differences(old: State, new: State) -> tuple[ResourceDifference, ...]:
    """What the newer state has that the older has not, and the other way round, by address."""
    before = {(one.address, one.deposed): one for one in old.managed}
    after = {(one.address, one.deposed): one for one in new.managed}
    matcher = SecretMatcher(old.secrets | new.secrets)
    return tuple(_differences(before, after, matcher))


def _differences(
    before: dict[tuple[str, str], StateResource],
    after: dict[tuple[str, str], StateResource],
    matcher: SecretMatcher,
) -> Iterator[ResourceDifference]:
    for key in sorted({*before, *after}):
        one, other = before.get(key), after.get(key)
        if one is None and other is not None:
            yield ResourceDifference(other.address, other.type, "added")
        elif one is not None and other is None:
            yield ResourceDifference(one.address, one.type, "removed")
        elif one is not None and other is not None:
            raw = object_changes(one._raw, other._raw, Marks(None, one._marks, other._marks))
            attributes = tuple(present(change, holds_secret=matcher.holds_secret) for change in raw)
            if attributes or one.tainted != other.tainted:
                yield ResourceDifference(one.address, one.type, "changed", attributes)


def _state(document: dict[str, Any]) -> State:
    secrets = state_secrets(document)
    matcher = SecretMatcher(secrets)
    serial = document.get("serial", 0)
    if not isinstance(serial, int) or isinstance(serial, bool) or serial < 0:
        raise StateUnreadable("The state's serial is not a number.")
    resources = tuple(
        _instance(resource, instance, matcher)
        for resource in _list(document, "resources")
        for instance in _list(resource, "instances")
    )
    outputs = tuple(
        StateOutput(str(name), one.get("value"), one.get("type"), one.get("sensitive") is True)
        for name, one in sorted((document.get("outputs") or {}).items())
    )
    return State(
        lineage=str(document.get("lineage", "")),
        serial=serial,
        terraform_version=str(document.get("terraform_version", "")),
        resources=resources,
        outputs=outputs,
        secrets=secrets,
    )


def _list(owner: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = owner.get(key) or []
    if not isinstance(found, list):
        raise StateUnreadable(f"The state's {key} are not a list.")
    return found


def _instance(resource: dict[str, Any], instance: dict[str, Any], matcher: SecretMatcher) -> StateResource:
    raw = instance.get("attributes") or {}
    if not isinstance(raw, dict):
        raise StateUnreadable("A resource's attributes are not an object.")
    marks = sensitive_marks(instance.get("sensitive_attributes"))
    shown = masked(raw, marks, matcher.holds_secret)
    attributes = shown if isinstance(shown, dict) else {}
    index = instance.get("index_key")
    return StateResource(
        address=_address(resource, index),
        module=str(resource.get("module", "")),
        mode=str(resource["mode"]),
        type=str(resource["type"]),
        name=str(resource["name"]),
        index=index,
        provider=_provider(str(resource.get("provider", ""))),
        id=_text(attributes, "id"),
        arn=_text(attributes, "arn"),
        region=_text(attributes, "region") or _region_of(_text(attributes, "arn")),
        deposed=str(instance.get("deposed", "")),
        tainted=instance.get("status") == "tainted",
        attributes=attributes,
        _raw=raw,
        _marks=marks,
    )


def _address(resource: dict[str, Any], index: Any) -> str:
    parts = [str(resource["module"])] if resource.get("module") else []
    if resource["mode"] == "data":
        parts.append("data")
    address = ".".join([*parts, str(resource["type"]), str(resource["name"])])
    if isinstance(index, str):
        # Written as Terraform writes it, so that addresses of plans, logs and states can be compared.
        quoted = json.dumps(index, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
        return f"{address}[{quoted}]"
    return address if index is None else f"{address}[{index}]"


def _provider(text: str) -> str:
    """`module.x.provider["registry.terraform.io/hashicorp/aws"].east` -> the quoted address."""
    return text.split('"')[1] if text.count('"') >= 2 else text


def _text(attributes: dict[str, Any], key: str) -> str:
    value = attributes.get(key)
    return value if isinstance(value, str) else ""


def _region_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) >= 6 and parts[0] == "arn" else ""
