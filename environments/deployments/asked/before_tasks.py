"""The one-off task before a deployment: as asked, as the blueprint declares, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from environments.deployments.asked.asking import Errors, Row
from environments.deployments.models import Act

KNOWN = ("name", "service", "container", "command")


def wanted(given: Mapping[str, Any] | None, rows: Sequence[Row], act: str, errors: Errors) -> dict[str, Any]:
    """{"name", "service", "container", "command"} or {}; `given` None: what the first service with one declares.

    Only a new image brings migrations: a change of settings runs the declared task only when asked to.
    """
    if given is None:
        return _declared(rows) if act == Act.DEPLOY else {}
    if not given:
        return {}
    unknown = sorted(set(given) - set(KNOWN))
    if unknown:
        errors["before_task"] = [
            _("A task has %(known)s, no “%(name)s”.") % {"known": ", ".join(KNOWN), "name": unknown[0]}
        ]
    command = given.get("command")
    if (
        not isinstance(command, list)
        or not command
        or not all(isinstance(one, str) and one for one in command)
    ):
        errors["before_task.command"] = [_("Give the command as a list of texts, such as “migrate”.")]
        return {}
    named = str(given.get("service") or "")
    fitting = [
        row for row in rows if named in (row.service.name, row.service.arn, row.service.declaration.key)
    ]
    row = fitting[0] if fitting else None
    if named and row is None:
        errors["before_task.service"] = [_("The task runs as one of the services of this request.")]
    row = row or (rows[0] if rows else None)
    if row is None:
        return {}
    return {
        "name": str(given.get("name") or _("before")),
        "service": row.service.name,
        "container": str(given.get("container") or row.container),
        "command": list(command),
    }


def _declared(rows: Sequence[Row]) -> dict[str, Any]:
    for row in rows:
        task = row.service.declaration.before
        if task is not None:
            return {
                "name": task.name,
                "service": row.service.name,
                "container": task.container or row.container,
                "command": list(task.command),
            }
    return {}
