"""A state that somebody brings along: what must hold before Terraform is handed it, and its next serial number."""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from typing import Any

from portal.terraform.documents import load_document
from portal.terraform.errors import StateUnreadable
from portal.terraform.state import State, read_state

VERSION = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})(?:[-+][0-9A-Za-z.+-]+)?\Z")
PROVIDER = re.compile(r'provider\["[^"]+"\](\.[\w-]+)?\Z')
# Says when and by what a state was written, not what it holds.
PASSING = ("serial", "lineage", "terraform_version", "check_results")


def accept_state(body: bytes, *, terraform: str = "") -> State:
    """The state in `body` if a Terraform of version `terraform` ("": not known here) will take it over.

    Stricter than `read_state`: a state kept by the portal came from Terraform itself, this one from
    anywhere. Raises StateUnreadable with one sentence that says what to do.
    """
    state = read_state(body)
    if not state.lineage:
        raise StateUnreadable("The state has no lineage, so it cannot be told which infrastructure it is of.")
    _written_by(state.terraform_version, terraform)
    _once(state)
    _shapes(load_document(body, StateUnreadable, "state", whole=True))
    return state


def _written_by(version: str, ours: str) -> None:
    numbers = VERSION.match(version)
    if numbers is None:
        raise StateUnreadable(
            f"“{version}” is no version of Terraform; the state does not say what wrote it."
        )
    if ours and tuple(map(int, numbers.groups())) > tuple(map(int, VERSION.match(ours).groups())):  # type: ignore[union-attr]
        raise StateUnreadable(
            f"The state was written by Terraform {version}, newer than the {ours} this portal runs: "
            f"install Terraform {version} or newer for the portal, then import it again."
        )


def _once(state: State) -> None:
    """Terraform would take one of two entries of the same address, and nobody could say which."""
    counted = Counter((one.address, one.deposed) for one in state.resources)
    twice = sorted(address for (address, _deposed), count in counted.items() if count > 1)
    if twice:
        raise StateUnreadable(f"The state names {twice[0]} more than once; each address may occur once.")


def _shapes(document: dict[str, Any]) -> None:
    """What Terraform needs beside what we read: a state it cannot load would stop the environment."""
    for resource in document.get("resources") or []:
        if resource.get("mode") not in ("managed", "data"):
            raise StateUnreadable("A resource of the state is neither managed nor a data source.")
        provider = resource.get("provider")
        if not isinstance(provider, str) or not PROVIDER.search(provider):
            raise StateUnreadable("A resource of the state does not name its provider as Terraform does.")
        for instance in resource.get("instances") or []:
            index = instance.get("index_key")
            if index is not None and (isinstance(index, bool) or not isinstance(index, str | int)):
                raise StateUnreadable("A resource's key in the state is neither a text nor a whole number.")


def renumbered(body: bytes, *, lineage: str, serial: int) -> bytes:
    """The same state under another lineage and serial; every other value stays as it is spelt.

    Numbers with a fraction are carried over as text: Terraform keeps more digits of them than Python.
    """
    mark = secrets.token_hex(16)
    document = json.loads(body, parse_float=lambda text: f"{mark}:{text}")
    document["lineage"], document["serial"] = lineage, serial
    text = json.dumps(document, indent=2)
    return re.sub(rf'"{mark}:([^"]*)"', r"\1", text).encode()


def meaning(body: bytes) -> dict[str, Any]:
    """What a state says, without when and by what it was written: two with an equal meaning do not differ."""
    document = load_document(body, StateUnreadable, "state", whole=True)
    return {key: value for key, value in document.items() if key not in PASSING}
