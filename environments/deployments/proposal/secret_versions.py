"""Which version of each secret the tasks would get if they started now: what is approved is approved with these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from portal.aws import secrets
from portal.aws.errors import AwsError
from portal.aws.secrets import CURRENT, Reference
from portal.aws.sessions import AccountAccess

# The version of a secret that is not there, or that the portal's role may not look at.
UNKNOWN: Final = ""


def versions(access: AccountAccess, definition: Mapping[str, Any]) -> dict[str, str]:
    """valueFrom -> id of the version it means now, for every secret of the definition; never a value.

    Raises AwsError when it is worth trying again.
    """
    wanted = {text: secrets.reference(text) for text in sorted(set(_references(definition)))}
    parameters = _parameters(access, [one for one in wanted.values() if one.kind == "parameter"])
    found: dict[str, str] = {}
    for text, one in wanted.items():
        found[text] = parameters.get(one.id, UNKNOWN) if one.kind == "parameter" else _secret(access, one)
    return found


def _references(definition: Mapping[str, Any]) -> Iterator[str]:
    for container in definition.get("containerDefinitions") or []:
        logging = container.get("logConfiguration") or {}
        for one in [*(container.get("secrets") or []), *(logging.get("secretOptions") or [])]:
            yield str(one["valueFrom"])


def _secret(access: AccountAccess, wanted: Reference) -> str:
    if wanted.version:
        return wanted.version
    try:
        found = secrets.secret(access, wanted)
    except AwsError as refused:
        if refused.permanent:
            return UNKNOWN
        raise
    return found.version(wanted.stage or CURRENT) if found else UNKNOWN


def _parameters(access: AccountAccess, wanted: list[Reference]) -> dict[str, str]:
    if not wanted:
        return {}
    try:
        return {name: str(version) for name, version in secrets.parameters(access, wanted).items()}
    except AwsError as refused:
        if refused.permanent:
            return {}
        raise
