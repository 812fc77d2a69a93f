"""How fast the sandbox's ECS is: seconds for one step of a task, and real seconds for a minute of waiting."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from portal.sandbox.controls import ControlError

_MOST = 3600.0


@dataclass(frozen=True)
class Pace:
    """`step`: seconds that one step of a task's start takes; `minute`: how long a minute of bake lasts."""

    step: float = 3.0
    minute: float = 6.0


def _number(name: str, given: Any) -> float:
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        raise ControlError(f"{name} must be a number of seconds") from None
    if not 0 <= seconds <= _MOST:
        raise ControlError(f"{name} must lie between 0 and {_MOST:.0f}")
    return seconds


def _from_environment() -> Pace:
    step, minute = os.environ.get("SANDBOX_ECS_PACE"), os.environ.get("SANDBOX_ECS_MINUTE")
    return Pace(
        step=_number("SANDBOX_ECS_PACE", step) if step else Pace.step,
        minute=_number("SANDBOX_ECS_MINUTE", minute) if minute else Pace.minute,
    )


class _Clockwork:
    """The pace in force; a new process starts with the environment's again."""

    pace = _from_environment()


def current() -> Pace:
    """The pace that what starts now gets; what is under way keeps its own."""
    return _Clockwork.pace


def control(asked: dict[str, Any]) -> dict[str, Any]:
    """``{"seconds", "minute"}``, each optional; answers with what is in force now."""
    known = current()
    _Clockwork.pace = Pace(
        step=_number("seconds", asked.get("seconds", known.step)),
        minute=_number("minute", asked.get("minute", known.minute)),
    )
    return {"seconds": current().step, "minute": current().minute}
