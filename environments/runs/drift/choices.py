"""Which attributes of a drift row the next definition could take over, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from environments.models import Environment
from environments.runs.drift.accept import CannotAccept, acceptance
from portal.core.errors import GatehouseError


@dataclass(frozen=True)
class Choice:
    """One drifted attribute: the variable that accepting it would set, or why there is none."""

    path: str
    label: str
    reason: str = ""


def choices(environment: Environment, row: Mapping[str, Any]) -> list[Choice]:
    """What of a drift row can be accepted into the definition, and why the rest cannot."""
    found = []
    for one in row["attributes"]:
        path = str(one["path"])
        try:
            wanted = acceptance(environment, row, path)
        except CannotAccept as cannot:
            found.append(Choice(path, path, str(cannot)))
        except GatehouseError as failed:
            found.append(Choice(path, path, failed.message))
        else:
            label = _("%(path)s: %(variable)s from %(before)s to %(after)s") % {
                "path": path,
                "variable": wanted.name,
                "before": _value(wanted.before),
                "after": _value(wanted.after),
            }
            found.append(Choice(path, label))
    return found


def _value(value: Any) -> str:
    text = _("nothing") if value is None else str(value)
    return text if len(text) <= 80 else text[:80] + "…"
