"""What goes wrong on purpose: by the image that a service runs, or by a switch at a running service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.utils import unix_time
from moto.ecs.models import ecs_backends

from portal.sandbox.controls import ControlError, text
from portal.sandbox.ecs.images import FAULTS
from portal.sandbox.ecs.seeding import fault_of, resolve
from portal.sandbox.patching import store

__all__ = ["FAULTS", "Switch", "control", "fault_of", "resolve", "switch_of"]


@dataclass(frozen=True)
class Switch:
    """The fault that somebody switched on at a service, and when (seconds since 1970)."""

    fault: str
    since: float


def control(asked: dict[str, Any]) -> dict[str, Any]:
    """``{"service": name or ARN, "fault": one of FAULTS or "none"}``, with "account" where a name is there twice."""
    fault = text(asked, "fault")
    if fault not in (*FAULTS, "none"):
        raise ControlError(f"fault has to be one of {', '.join(FAULTS)}, none")
    backend, arn = _service(text(asked, "service"), str(asked.get("account") or ""))
    switches = store(backend, "faults")
    if fault == "none":
        switches.pop(arn, None)
    else:
        switches[arn] = Switch(fault, unix_time())
    return {"service": arn, "fault": fault}


def switch_of(backend: BaseBackend, service_arn: str) -> Switch | None:
    """The switch at a service of this ECS backend; None while it has none."""
    found: Switch | None = store(backend, "faults").get(service_arn)
    return found


def _service(named: str, account: str) -> tuple[BaseBackend, str]:
    found = [
        (backend, str(service.arn))
        for number, regions in list(ecs_backends.items())
        if account in ("", number)
        for backend in list(regions.values())
        for service in list(backend.services.values())
        if named in (service.name, service.arn)
    ]
    if len(found) != 1:
        accounts = ", ".join(sorted(arn.split(":")[4] for _, arn in found))
        why = f"more than one service is called {named}: say which account ({accounts})"
        raise ControlError(why if found else f"there is no service {named}")
    return found[0]
