"""Reads of the audit log. Who may see what is decided above (environments.activity)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from portal.audit.models import AuditEvent  # noqa: F401 - names the model of the query set


@dataclass(frozen=True)
class Filters:
    """What to look for; empty fields ask nothing. Times are aware: from `since` up to but not at `until`."""

    tenant: str = ""
    environment: str = ""
    actor: str = ""
    action: str = ""
    target: str = ""
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def for_chains(self, chains: Iterable[str]) -> Self:
        """Events of these chains only (a tenant's slug, or "portal")."""
        return self.filter(chain__in=list(chains))

    def newest_first(self) -> Self:
        return self.order_by("-at", "-id")

    def matching(self, filters: Filters) -> Self:
        """Events that fit all the filters.

        `actor` is an id or a part of the name; `action` a whole action, or a family with its dot
        ("change."); `target` an id, "type:id", or a part of the name.
        """
        found = self
        if filters.tenant:
            found = found.filter(tenant_id=filters.tenant)
        if filters.environment:
            found = found.filter(environment=filters.environment)
        if filters.actor:
            found = found.filter(Q(actor_id=filters.actor) | Q(actor_name__icontains=filters.actor))
        if filters.action:
            lookup = "action__startswith" if filters.action.endswith(".") else "action"
            found = found.filter(**{lookup: filters.action})
        if filters.target:
            found = found.filter(_target(filters.target))
        if filters.outcome:
            found = found.filter(outcome=filters.outcome)
        if filters.since:
            found = found.filter(at__gte=filters.since)
        if filters.until:
            found = found.filter(at__lt=filters.until)
        return found


def _target(text: str) -> Q:
    kind, colon, target_id = text.partition(":")
    wanted = Q(target_id=text) | Q(target_name__icontains=text)
    return wanted | Q(target_type=kind, target_id=target_id) if colon else wanted
