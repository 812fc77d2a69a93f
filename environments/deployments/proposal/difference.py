"""What differs between two task definitions, container by container, with the owner of each field.

A row is {"container" ("" for the task), "path", "owner", "source", "before", "after", "sensitive", "seal"}; values are texts,
None where there is none. What looks secret is masked: the row then says that it differs, not how.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from environments.deployments.declarations import Declaration
from environments.deployments.proposal import ownership
from environments.deployments.proposal.ownership import SIZES
from portal.aws.task_definitions import registrable
from portal.core.keyring import keyring
from portal.core.redaction import MASK
from portal.terraform.unmarked import names_secret, reveals

Row = dict[str, Any]
# What a person looks for first; everything else follows by name.
FIRST: Final = ("image", "cpu", "memory", "environment", "secrets", "healthCheck", "command")
# Lists of {"name", "value" or "valueFrom"}: one row a name.
PAIRS: Final = {"environment": "value", "secrets": "valueFrom"}
WHOLE: Final = "container"


@dataclass(frozen=True)
class Basis:
    """What tells a field's owner and source: the declaration, its container, the paths that the request names."""

    declaration: Declaration
    container: str
    asked: frozenset[str] = frozenset()
    # Whether Terraform's newest revision is known.
    terraform: bool = True

    def owner_and_source(self, container: str, path: str) -> tuple[str, str]:
        declared = container == self.container or (container == "" and path in SIZES)
        whose = ownership.owner(self.declaration, path, declared=declared)
        asked = declared and path in self.asked
        return whose, ownership.source(whose, asked=asked, terraform=self.terraform)


def rows(before: Mapping[str, Any], after: Mapping[str, Any], basis: Basis) -> list[Row]:
    """The rows, those of the container that deployments are for first."""
    found = [
        _row(name, path, then, now, basis)
        for name, was, now_is in _pairs(before, after)
        for path, then, now in _changed(was, now_is)
    ]
    return sorted(found, key=lambda row: _order(row, basis.container))


def _row(name: str, path: str, then: str | None, now: str | None, basis: Basis) -> Row:
    whose, came = basis.owner_and_source(name, path)
    sensitive = any(_is_secret(path, value) for value in (then, now))
    return {
        "container": name,
        "path": path,
        "owner": whose,
        "source": came,
        "before": MASK if sensitive and then is not None else then,
        "after": MASK if sensitive and now is not None else now,
        "sensitive": sensitive,
        # Tells two masked changes apart, and nothing else.
        "seal": keyring().fingerprint(repr((then, now)).encode(), context="difference") if sensitive else "",
    }


def _is_secret(path: str, value: str | None) -> bool:
    """Whether it is to be masked: by the name it goes under, or by its form. Where a secret lies is none."""
    if value is None or path.startswith("secrets."):
        return False
    return names_secret(path.rpartition(".")[2]) or reveals(value)


def _order(row: Row, own: str) -> tuple[Any, ...]:
    head = row["path"].partition(".")[0]
    rank = FIRST.index(head) if head in FIRST else len(FIRST)
    return (row["container"] != own, row["container"] == "", row["container"], rank, row["path"])


def _pairs(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, str], Mapping[str, str]]]:
    """(container, its fields before, after); "" is the task."""
    was, now = registrable(before), registrable(after)
    old, new = _containers(was), _containers(now)
    for name in {**new, **old}:
        yield name, old.get(name, {}), new.get(name, {})
    yield "", _flat(_without_containers(was)), _flat(_without_containers(now))


def _without_containers(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in definition.items() if name != "containerDefinitions"}


def _containers(definition: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    return {
        str(one.get("name")): _flat({**one, "name": None}) | {WHOLE: str(one.get("name"))}
        for one in definition.get("containerDefinitions") or []
    }


def _changed(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, str | None, str | None]]:
    for path in {**was, **now}:
        if was.get(path) != now.get(path):
            yield path, was.get(path), now.get(path)


def _flat(value: Mapping[str, Any], at: str = "") -> dict[str, str]:
    """Path -> text of everything that is said; empty lists and objects say nothing, an empty text does."""
    found: dict[str, str] = {}
    for name, inner in value.items():
        path = f"{at}{name}"
        if inner is None or inner == [] or inner == {}:
            continue
        if isinstance(inner, Mapping):
            found |= _flat(inner, f"{path}.")
        elif at == "" and name in PAIRS and isinstance(inner, list):
            found |= {f"{path}.{one['name']}": str(one.get(PAIRS[name], "")) for one in inner}
        else:
            found[path] = _text(name, inner)
    return found


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if name in ("tags", "volumes") and isinstance(value, list):
        # Lists whose order means nothing.
        value = sorted(value, key=lambda one: json.dumps(one, sort_keys=True))
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def touches_roles(found: list[Row]) -> bool:
    """Whether the task would run as somebody else."""
    return any(row["container"] == "" and row["path"] in ("taskRoleArn", "executionRoleArn") for row in found)


def touches_network(found: list[Row]) -> bool:
    return any(
        row["path"].partition(".")[0] in ("networkMode", "portMappings", "proxyConfiguration")
        for row in found
    )
