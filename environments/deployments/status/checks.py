"""Looks at the environments' services: due rows, leases, what is stored. Housekeeping: it alters nothing in AWS."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.deployments.models import ServiceCheck, ServiceStatus
from environments.deployments.services import TYPE, Service, access_of, services_of
from environments.deployments.status import noting, reading, strange
from environments.deployments.status.reading import Seen
from environments.models import Environment, Resource

LEASE: Final = timedelta(minutes=5)
# Where nothing has moved for an hour, every fifth look is enough.
QUIET_AFTER: Final = timedelta(hours=1)
QUIET_FACTOR: Final = 5
AT_ONCE: Final = 50
WORKING: Final = (Status.EXECUTING, Status.VERIFYING)


def due(at: datetime) -> list[ServiceCheck]:
    """Environments with services whose look is due and that nobody looks at."""
    places = Environment.objects.active().exclude(account=None)
    places = places.filter(pk__in=Resource.objects.filter(type=TYPE).values("environment_id"))
    for environment in places.filter(service_check=None):
        ServiceCheck.objects.get_or_create(environment=environment)
    rows = ServiceCheck.objects.filter(due_at__lte=at, environment__in=places).exclude(lease_until__gt=at)
    return list(rows.order_by("due_at")[:AT_ONCE])


def look_again(environment: Environment, *, tasks: bool = False) -> None:
    """The next look is due now: something was deployed, or somebody asks; with `tasks` it lists them too."""
    ServiceCheck.objects.get_or_create(environment=environment)
    ServiceCheck.objects.filter(environment=environment).update(due_at=timezone.now())
    if tasks:
        ServiceStatus.objects.filter(environment=environment).update(tasks_at=None)


def check(environment_id: int) -> None:
    """Look once, if nobody does already. What could not be read keeps its old value, with the error beside it."""
    row = ServiceCheck.objects.select_related("environment__tenant", "environment__account").get(
        environment_id=environment_id
    )
    began = timezone.now()
    taken = ServiceCheck.objects.filter(pk=row.pk, fence=row.fence).exclude(lease_until__gt=began)
    if not taken.update(lease_until=began + LEASE, fence=row.fence + 1):
        return
    environment = row.environment
    services, access = services_of(environment), access_of(environment)
    known = {one.service_arn: one for one in ServiceStatus.objects.filter(environment=environment)}
    seen = reading.look(access, services, known) if access is not None and services else {}
    _store(row, services, seen, began)


def _store(row: ServiceCheck, services: Sequence[Service], seen: Mapping[str, Seen], began: datetime) -> None:
    environment = row.environment
    with transaction.atomic():
        mine = ServiceCheck.objects.select_for_update().filter(pk=row.pk, fence=row.fence + 1).first()
        if mine is None:
            return
        before = {one.service_arn: one for one in ServiceStatus.objects.filter(environment=environment)}
        in_state = strange.of_terraform(environment)
        running = {str(one.values.get("task_definition_arn", "")) for one in seen.values()}
        deployed = strange.registered(running)
        after: list[ServiceStatus] = []
        for service in services:
            old = before.get(service.arn)
            known = strange.remembered(service, old, in_state)
            after.append(_written(environment, service, old, seen[service.arn], known, deployed, began))
        here = [service.arn for service in services]
        ServiceStatus.objects.filter(environment=environment).exclude(service_arn__in=here).delete()
        noting.note(environment, before, after)
        mine.interval = interval(environment, after)
        mine.lease_until = None
        # Whoever asked while this look was under way wants to see what came after it began.
        if mine.due_at is None or not began < mine.due_at <= timezone.now():
            mine.due_at = began + timedelta(seconds=mine.interval)
        mine.save()


def _written(
    environment: Environment,
    service: Service,
    old: ServiceStatus | None,
    seen: Seen,
    known: list[str],
    deployed: set[str],
    began: datetime,
) -> ServiceStatus:
    row = ServiceStatus(environment=environment, service_arn=service.arn)
    if old is not None:
        # A copy: what it was before is compared with what it is.
        row = copy.copy(old)
    row.address, row.service, row.cluster_arn = service.address, service.name, service.cluster_arn
    row.known_revisions = known
    for name, value in seen.values.items():
        setattr(row, name, value)
    if seen.values:
        row.taken_at = began
        short = (row.running or 0) < (row.desired or 0)
        row.short_since = (row.short_since or began) if short else None
        row.out_of_band = strange.is_out_of_band(row.task_definition_arn, known, deployed)
    if "tasks" in seen.values:
        row.tasks_at = began
    row.error = "\n".join(dict.fromkeys(seen.errors))
    row.error_at = began if seen.errors else None
    row.save()
    return row


def interval(environment: Environment, rows: Sequence[ServiceStatus]) -> int:
    """Seconds to the next look: as set while anything moves or is wrong, more where all has long been calm."""
    base = int(settings.DEPLOYMENT_STATUS_SECONDS)
    since = timezone.now() - QUIET_AFTER
    changes = Change.objects.filter(environment=environment)
    busy = changes.filter(status__in=WORKING).exists() or changes.filter(finished_at__gte=since).exists()
    calm = all(
        not row.error
        and row.status == "ACTIVE"
        and row.short_since is None
        and len(row.deployments) <= 1
        and row.deployments[:1] != []
        and row.deployments[0].get("rolloutState") in ("COMPLETED", "")
        for row in rows
    )
    return base if busy or not calm else base * QUIET_FACTOR
