"""The sandbox's own controls: ``POST /sandbox/...`` with a JSON object, answered with another.

A control is a function ``control(asked) -> answer`` of the module named here. It is imported when it is
first asked for, because most of them need moto's services, which are loaded late. It raises ControlError
with words for whoever asked.
"""

import importlib
import json
from typing import Any

_MODULES = {
    "/sandbox/ecr/images": "portal.sandbox.ecs.seeding",
    "/sandbox/ecs/answer": "portal.sandbox.ecs.answering",
    "/sandbox/ecs/fault": "portal.sandbox.ecs.faults",
    "/sandbox/ecs/pace": "portal.sandbox.ecs.pace",
}
_MOST = 100_000  # bytes


class ControlError(ValueError):
    """What was asked cannot be done; the message says why."""


def is_control(method: str, path: str) -> bool:
    """Whether a control answers at this address."""
    return method == "POST" and path in _MODULES


def answer(path: str, environ: dict[str, Any]) -> dict[str, Any]:
    """Do what was asked. Raises ControlError."""
    control = importlib.import_module(_MODULES[path]).control
    answered: dict[str, Any] = control(_asked(environ))
    return answered


def text(asked: dict[str, Any], name: str) -> str:
    """A text that has to be there. Raises ControlError."""
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(f"{name} has to be a text")
    return value


def _asked(environ: dict[str, Any]) -> dict[str, Any]:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > _MOST:
        raise ControlError("the body is too long")
    try:
        asked = json.loads(environ["wsgi.input"].read(int(length)) or b"{}")
    except ValueError:
        raise ControlError("the body is no JSON") from None
    if not isinstance(asked, dict):
        raise ControlError("the body has to be a JSON object")
    return asked
