"""Read a Terraform state document (version 4): what exists, what it is called, what is different from
another state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from portal.terraform.documents import child, load_document
from portal.terraform.errors import StateUnreadable
from portal.terraform.secrets import SecretMatcher, masked, sensitive_marks, state_secrets
from portal.terraform.unmarked import with_guesses

# What Terraform's own tools and a database column can count and keep.
HIGHEST_SERIAL = 2**63 - 1
LONGEST_LINEAGE = 64
LONGEST_VERSION = 20


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

    @property
    def values(self) -> dict[str, Any]:
        """The attributes with nothing masked: to compare with what stands in AWS, never to be shown."""
        return self._raw


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


def read_state(source: bytes | str | Path, *, known: Iterable[str] = ()) -> State:
    """Parse a state document; `known` are secrets besides those it marks. Errors: `StateUnreadable`, whatever the
    input.
    """
    document = load_document(source, StateUnreadable, "state", whole=True)
    if document.get("version") != 4:
        raise StateUnreadable(
            f"The state has version {document.get('version')!r}; this portal reads version 4."
        )
    try:
        return _state(document, frozenset(known))
    except (AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        raise StateUnreadable("The state does not have the shape that Terraform writes.") from error


def _state(document: dict[str, Any], known: frozenset[str]) -> State:
    secrets = state_secrets(document) | known
    matcher = SecretMatcher(secrets)
    serial = document.get("serial", 0)
    if not isinstance(serial, int) or isinstance(serial, bool) or not 0 <= serial <= HIGHEST_SERIAL:
        raise StateUnreadable("The state's serial is not a number.")
    lineage = _kept(document.get("lineage", ""), "lineage", LONGEST_LINEAGE)
    version = _kept(document.get("terraform_version", ""), "Terraform version", LONGEST_VERSION)
    _lower_case(document)
    resources = tuple(
        _instance(resource, instance, matcher)
        for resource in _list(document, "resources")
        for instance in _list(resource, "instances")
    )
    outputs = tuple(
        StateOutput(str(name), one.get("value"), one.get("type"), _is_sensitive(str(name), one, matcher))
        for name, one in sorted((document.get("outputs") or {}).items())
    )
    return State(
        lineage=lineage,
        serial=serial,
        terraform_version=version,
        resources=resources,
        outputs=outputs,
        secrets=secrets,
    )


def _is_sensitive(name: str, output: dict[str, Any], matcher: SecretMatcher) -> bool:
    """Marked, told by its name, or holding what is secret elsewhere."""
    value = output.get("value")
    return (
        output.get("sensitive") is True or masked(value, _guesses(name, value), matcher.holds_secret) != value
    )


def _guesses(name: str, value: Any) -> Any:
    return child(with_guesses({name: value}), name)


def _kept(value: Any, what: str, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or not _storable(value):
        raise StateUnreadable(f"The state's {what} is not a text of at most {longest} characters.")
    return value


def _storable(text: str) -> bool:
    """Whether a database can keep it: NUL and half a character (a broken escape) it cannot."""
    return "\x00" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


def _lower_case(document: dict[str, Any]) -> None:
    """Terraform reads "Resources" as "resources", which we would not have seen: refuse such names."""
    resources = _list(document, "resources")
    owners = [document, *resources, *(one for resource in resources for one in _list(resource, "instances"))]
    for key in {key for owner in owners for key in owner}:
        if key != key.casefold():
            raise StateUnreadable(f"The state has an entry “{key[:40]}”, which Terraform does not write.")


def _list(owner: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = owner.get(key) or []
    if not isinstance(found, list):
        raise StateUnreadable(f"The state's {key} are not a list.")
    return found


def _instance(resource: dict[str, Any], instance: dict[str, Any], matcher: SecretMatcher) -> StateResource:
    raw = instance.get("attributes") or {}
    if not isinstance(raw, dict):
        raise StateUnreadable("A resource's attributes are not an object.")
    marks = with_guesses(raw, sensitive_marks(instance.get("sensitive_attributes")))
    shown = masked(raw, marks, matcher.holds_secret)
    attributes = shown if isinstance(shown, dict) else {}
    index = instance.get("index_key")
    address = _address(resource, index)
    if not _storable(address):
        raise StateUnreadable("A resource's address holds characters that no address has.")
    return StateResource(
        address=address,
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
    return value if isinstance(value, str) and _storable(value) else ""


def _region_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) >= 6 and parts[0] == "arn" else ""
