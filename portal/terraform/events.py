"""Terraform's `-json` stream, line by line, as typed events and as sentences for a log page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One line of output. `text` is Terraform's own words; a line that is not JSON has `type` "text"."""

    type: str
    text: str
    level: str = "info"
    timestamp: str = ""


@dataclass(frozen=True, slots=True)
class VersionEvent(Event):
    """The first line: `terraform` and `ui` (protocol) versions."""

    terraform: str = ""
    ui: str = ""


@dataclass(frozen=True, slots=True)
class ResourceEvent(Event):
    """Something about one resource instance.

    `type` is planned_change, resource_drift, refresh_start, refresh_complete, apply_start,
    apply_progress, apply_complete, apply_errored, provision_start, provision_progress,
    provision_complete, provision_errored or ephemeral_op_*. `action` is create, update, delete, replace,
    read, move, import, forget or noop; `elapsed` seconds; `id_value` the resource's id once known;
    `output` a provisioner's line.
    """

    address: str = ""
    resource_type: str = ""
    action: str = ""
    reason: str = ""
    elapsed: float | None = None
    id_key: str = ""
    id_value: str = ""
    provisioner: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class SummaryEvent(Event):
    """Counts at the end of a plan or an apply (`operation`: plan, apply or destroy)."""

    operation: str = ""
    add: int = 0
    change: int = 0
    remove: int = 0
    imported: int = 0


@dataclass(frozen=True, slots=True)
class OutputsEvent(Event):
    """`outputs`: name -> {"sensitive": bool, "action"?: str, "type"?: ..., "value"?: ...}."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DiagnosticEvent(Event):
    """An error or a warning, with the place in the code if there is one."""

    severity: str = "error"
    summary: str = ""
    detail: str = ""
    address: str = ""
    filename: str = ""
    line: int | None = None
    snippet: str = ""


def parse_line(line: str) -> Event:
    """The event of one line. Never fails: what is not a JSON object of Terraform's is a plain "text"
    event.
    """
    text = line.strip()
    if text.startswith("{"):
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if isinstance(data, dict) and isinstance(data.get("type"), str):
            return _typed(data)
    return Event("text", line)


def _typed(data: dict[str, Any]) -> Event:
    base = {
        "type": _text(data, "type"),
        "text": _text(data, "@message"),
        "level": _text(data, "@level") or "info",
        "timestamp": _text(data, "@timestamp"),
    }
    if isinstance(data.get("diagnostic"), dict):
        return _diagnostic(data["diagnostic"], base)
    if isinstance(data.get("hook"), dict):
        return _hook(data["hook"], base)
    if base["type"] in ("planned_change", "resource_drift") and isinstance(data.get("change"), dict):
        return _hook(data["change"], base)
    if base["type"] == "change_summary":
        return _summary(_dict(data, "changes"), base)
    if base["type"] == "outputs":
        outputs = {
            str(name): value for name, value in _dict(data, "outputs").items() if isinstance(value, dict)
        }
        return OutputsEvent(**base, outputs=outputs)
    if base["type"] == "version":
        return VersionEvent(**base, terraform=_text(data, "terraform"), ui=_text(data, "ui"))
    return Event(**base)


def _hook(hook: dict[str, Any], base: dict[str, str]) -> ResourceEvent:
    resource = _dict(hook, "resource")
    elapsed = hook.get("elapsed_seconds")
    return ResourceEvent(
        **base,
        address=_text(resource, "addr"),
        resource_type=_text(resource, "resource_type"),
        action=_text(hook, "action"),
        reason=_text(hook, "reason"),
        elapsed=float(elapsed) if isinstance(elapsed, int | float) else None,
        id_key=_text(hook, "id_key"),
        id_value=_text(hook, "id_value"),
        provisioner=_text(hook, "provisioner"),
        output=_text(hook, "output"),
    )


def _summary(changes: dict[str, Any], base: dict[str, str]) -> SummaryEvent:
    return SummaryEvent(
        **base,
        operation=_text(changes, "operation"),
        add=_number(changes, "add"),
        change=_number(changes, "change"),
        remove=_number(changes, "remove"),
        imported=_number(changes, "import"),
    )


def _diagnostic(found: dict[str, Any], base: dict[str, str]) -> DiagnosticEvent:
    place = _dict(found, "range")
    line = _dict(place, "start").get("line")
    return DiagnosticEvent(
        **base,
        severity=_text(found, "severity") or "error",
        summary=_text(found, "summary"),
        detail=_text(found, "detail"),
        address=_text(found, "address"),
        filename=_text(place, "filename"),
        line=line if isinstance(line, int) else None,
        snippet=_text(_dict(found, "snippet"), "code"),
    )


def human_line(event: Event) -> str:
    """The event as one entry of a readable log; a diagnostic may span several lines."""
    if isinstance(event, DiagnosticEvent):
        return _diagnostic_text(event)
    if isinstance(event, ResourceEvent) and event.type == "provision_progress":
        return f"{event.address}: {event.output}"
    return event.text


def _diagnostic_text(event: DiagnosticEvent) -> str:
    lines = [f"{event.severity.capitalize()}: {event.summary}"]
    if event.address:
        lines.append(f"  with {event.address}")
    if event.filename:
        lines.append(f"  on {event.filename}" + (f" line {event.line}" if event.line else ""))
    lines += [f"  {part}" if part else "" for part in event.detail.strip().splitlines()]
    return "\n".join(lines)


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _number(data: dict[str, Any], key: str) -> int:
    value = data.get(key)
    return value if isinstance(value, int) else 0


def _dict(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}
