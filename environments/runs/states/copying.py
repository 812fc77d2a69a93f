"""A copy of every state version in a bucket of the tenant's own account: usable when the portal is gone.

The row of a copy is made with the version, in one transaction; the object follows, oldest first, as often as it
takes. The copy is the plain state, as Terraform reads it; the bucket's own encryption and policy protect it.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import current_app
from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from kombu.exceptions import KombuError

from environments.accounts import access_to
from environments.models import Environment
from environments.runs.models import StateCopy, StateVersion
from environments.runs.states.copies import key_of
from environments.runs.states.store import record
from portal.accounts.principals import SYSTEM
from portal.aws.buckets import put_once
from portal.aws.errors import AwsError
from portal.aws.sessions import verify_identity

logger = logging.getLogger(__name__)
# A task that was sent and lost is sent again after this long.
AGAIN = timedelta(minutes=2)
FIRST_WAIT, LONGEST_WAIT = 30, 3600


def catch_up() -> None:
    """Promise copies of newest versions that were written before their account had this bucket."""
    newest = StateVersion.objects.filter(environment=OuterRef("pk")).order_by("-number")
    places = (
        Environment.objects.exclude(account=None)
        .exclude(account__state_bucket="")
        .annotate(
            newest=Subquery(newest.values("pk")[:1]), copied_to=Subquery(newest.values("copy__bucket")[:1])
        )
        .exclude(newest=None)
        .filter(Q(copied_to=None) | ~Q(copied_to=F("account__state_bucket")))
        .select_related("tenant", "account")
    )
    for place in places:
        assert place.account is not None
        version = StateVersion.objects.light().filter(environment=place).newest()
        assert version is not None
        fresh = {"copied_at": None, "attempts": 0, "error": "", "due_at": timezone.now()}
        target = {"bucket": place.account.state_bucket, "key": key_of(place, version)}
        StateCopy.objects.update_or_create(version=version, defaults={**target, **fresh})


def send_due() -> None:
    """Put environments with due copies on the queue; each is due again should the message be lost."""
    catch_up()
    now = timezone.now()
    due = StateCopy.objects.filter(copied_at=None, due_at__lte=now)
    for environment_id in set(due.values_list("version__environment_id", flat=True)):
        due.filter(version__environment_id=environment_id).update(due_at=now + AGAIN)
        try:
            current_app.send_task("runs.copy_states", args=[environment_id], queue="housekeeping")
        except (KombuError, OSError):
            logger.warning("Could not send the copying of a state", exc_info=True)


def copy_all(environment_id: int) -> None:
    """Write what is not in the bucket yet, in the order of the versions: the last object is the newest state."""
    waiting = StateCopy.objects.filter(copied_at=None, version__environment_id=environment_id)
    # One content at a time: states are large.
    for pk in list(waiting.order_by("version__number").values_list("pk", flat=True)):
        places = StateCopy.objects.select_related("version__environment__tenant")
        copy = places.filter(pk=pk, copied_at=None).first()
        if copy is not None and not _copy(copy):
            return


def _copy(copy: StateCopy) -> bool:
    environment = copy.version.environment
    account = environment.account
    if account is None or account.state_bucket != copy.bucket:
        # The account has another bucket by now, or none: what is newest is caught up with there.
        copy.delete()
        return True
    access = access_to(account, environment.region)
    metadata = {"lineage": copy.version.lineage, "serial": str(copy.version.serial), "md5": copy.version.md5}
    try:
        verify_identity(access)
        put_once(access, copy.bucket, copy.key, bytes(copy.version.content), metadata)
    except AwsError as refused:
        _failed(copy, f"{refused.message} {refused.hint}".strip())
        return False
    with transaction.atomic():
        StateCopy.objects.filter(pk=copy.pk).update(copied_at=timezone.now(), error="", due_at=None)
        if copy.error:
            record(environment, SYSTEM, "state.copy", version=copy.version.number, bucket=copy.bucket)
    return True


def _failed(copy: StateCopy, why: str) -> None:
    """Later again; a reason that is new is put on the record, the same one only once."""
    wait = min(FIRST_WAIT * 2 ** min(copy.attempts, 10), LONGEST_WAIT)
    with transaction.atomic():
        StateCopy.objects.filter(pk=copy.pk).update(
            attempts=F("attempts") + 1, error=why, due_at=timezone.now() + timedelta(seconds=wait)
        )
        if why != copy.error:
            record(
                copy.version.environment,
                SYSTEM,
                "state.copy_failed",
                version=copy.version.number,
                bucket=copy.bucket,
                error=why,
            )
