"""The system check audit.E001: the database itself refuses to alter the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import connections

from portal.audit import triggers
from portal.audit.models import AuditEvent


def triggers_are_there(databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """Runs with `manage.py check --database default` and before every `migrate`."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        absent = triggers.missing(connections[alias])
        if absent:
            found.append(
                Error(
                    f"The audit log can be altered: {', '.join(absent)} missing or changed in '{alias}'.",
                    hint="Find out who removed them, run `manage.py verify_audit`, then put them back "
                    "with `manage.py migrate --skip-checks`.",
                    obj=AuditEvent,
                    id="audit.E001",
                )
            )
    return found
