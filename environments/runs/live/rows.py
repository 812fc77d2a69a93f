"""Extras as rows: what stands there now, and what of it nobody has decided about."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from environments.models import Environment
from environments.runs.models import LiveExtra


def open_extras(environment: Environment) -> QuerySet[LiveExtra]:
    """What stands there now, settled or not; the worst first."""
    return LiveExtra.objects.filter(environment=environment, gone_at=None)


def unsettled(rows: QuerySet[LiveExtra], at: datetime | None = None) -> QuerySet[LiveExtra]:
    """Those that nobody adopted, and whose allowance, if they had one, is over."""
    now = at or timezone.now()
    return rows.filter(gone_at=None, adopted_at=None).filter(
        Q(allowed_until=None) | Q(allowed_until__lte=now)
    )
