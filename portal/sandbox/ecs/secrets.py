"""Whether a task's secrets are there when it starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

_PARTS_OF_ARN = 7


def unreadable(account: str, region: str, containers: Iterable[Mapping[str, Any]]) -> str:
    """Why the task cannot be set up, in ECS's words; empty when every secret is there."""
    for container in containers:
        for secret in container.get("secrets") or []:
            why = _missing(account, region, str(secret["valueFrom"]))
            if why:
                return f"ResourceInitializationError: unable to pull secrets or registry auth: {why}"
    return ""


def _missing(account: str, region: str, reference: str) -> str:
    parts = reference.split(":")
    if ":secretsmanager:" in reference:
        owner, where, name = parts[4], parts[3], ":".join(parts[:_PARTS_OF_ARN])
        if secretsmanager_backends[owner][where].secrets.get(name) is None:
            return (
                "execution resource retrieval failed: unable to retrieve secret from asm: ResourceNotFoundException:"
                f" Secrets Manager can't find the specified secret {name}."
            )
        return ""
    if ":ssm:" in reference:
        account, region, name = parts[4], parts[3], "/" + parts[5].partition("/")[2]
    else:
        name = reference
    known = ssm_backends[account][region]
    if known.get_parameter(name) is None and known.get_parameter(name.lstrip("/")) is None:
        return f"execution resource retrieval failed: unable to retrieve secrets from ssm: invalid ssm parameters: {name}"
    return ""
