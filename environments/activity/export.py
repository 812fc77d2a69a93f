"""The audit log as files: CSV for spreadsheets, JSON Lines for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from environments.models import Tenant
from environments.permissions import roles_of
from portal import audit
from portal.accounts.principals import Principal
from portal.audit.models import HASHED, AuditEvent
from portal.audit.querysets import AuditEventQuerySet
from portal.core.canonical import canonical_json
from portal.core.errors import InvalidInput
from portal.core.pagination import keyset_page

COLUMNS: Final = (
    "at",
    "actor_id",
    "actor_name",
    "actor_kind",
    "actor_roles",
    "address",
    "action",
    "outcome",
    "target_type",
    "target_id",
    "target_name",
    "tenant_id",
    "tenant_name",
    "environment",
    "detail",
    "before",
    "after",
    "request_id",
    "uuid",
    "chain",
    "sequence",
    "previous_hash",
    "hash",
)
# Short queries, one after the other: an export of a million events holds no cursor open.
AT_ONCE = 1000
BYTE_ORDER_MARK = "\ufeff"
# A spreadsheet takes a cell that begins so for a formula and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def cell(value: Any) -> str:
    """A value as text of a CSV cell that no spreadsheet will run."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if value is None:
        return ""
    text = (
        json.dumps(value, ensure_ascii=False, sort_keys=True)
        if isinstance(value, dict | list)
        else str(value)
    )
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _rows(events: AuditEventQuerySet) -> Iterator[AuditEvent]:
    cursor: str | None = None
    while True:
        page = keyset_page(events, ordering=("-at",), cursor=cursor, size=AT_ONCE)
        yield from page.rows
        cursor = page.older
        if cursor is None:
            return


def csv_lines(events: AuditEventQuerySet) -> Iterator[str]:
    """UTF-8 with a byte order mark, so that spreadsheets read Korean names."""
    writer: Any = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow(COLUMNS)
    for event in _rows(events):
        yield writer.writerow([cell(getattr(event, name)) for name in COLUMNS])


def json_lines(events: AuditEventQuerySet) -> Iterator[bytes]:
    """Every hashed column and the hash itself: who has the file can check the chain without the portal."""
    for event in _rows(events):
        yield canonical_json({name: getattr(event, name) for name in (*HASHED, "hash")}) + b"\n"


@dataclass(frozen=True)
class Format:
    content_type: str
    lines: Callable[[AuditEventQuerySet], Iterator[str] | Iterator[bytes]]


FORMATS: Final = {
    "csv": Format("text/csv; charset=utf-8", csv_lines),
    "jsonl": Format("application/jsonl; charset=utf-8", json_lines),
}


def export(
    *,
    by: Principal,
    events: AuditEventQuerySet,
    tenants: Sequence[Tenant],
    form: str,
    filters: dict[str, Any],
) -> Iterator[str] | Iterator[bytes]:
    """The lines of these events as of now, newest first; that they were taken out is itself recorded.

    `tenants` are those whose events may be among them: an export of one tenant stands in its own chain,
    a wider one in the portal's. Raises InvalidInput for an unknown format.
    """
    if form not in FORMATS:
        raise InvalidInput({"format": [_("Use one of: %(formats)s.") % {"formats": ", ".join(FORMATS)}]})
    tenant = tenants[0] if len(tenants) == 1 else None
    # What comes after this moment, this very record included, is not part of the export.
    newest = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with transaction.atomic():
        audit.record(
            actor=by.actor(sorted(roles_of(by.user, tenant)) if tenant else ()),
            action="audit.export",
            target=audit.Target("audit-log", tenant.slug if tenant else "portal", form),
            tenant=tenant.ref if tenant else None,
            after={"format": form, "filters": filters},
        )
    return FORMATS[form].lines(events.filter(pk__lte=newest))
