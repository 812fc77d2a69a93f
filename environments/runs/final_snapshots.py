"""Before a destroy: a last snapshot of every database in the plan, or the recorded refusal of it."""

from __future__ import annotations

import time

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.accounts import access_to
from environments.changes.kinds import Cancelled, ToolFailure
from environments.changes.transitions import note_event
from environments.changes.work import Work
from environments.models import Environment, Resource
from environments.runs.models import TerraformRun
from portal.aws import rds
from portal.aws.sessions import AccountAccess
from portal.core.errors import GatehouseError

POLL_SECONDS = 5
DATABASE = "aws_db_instance"
# Databases whose snapshots the portal cannot make: it says so and destroys nothing.
BY_HAND = ("aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster", "aws_redshift_cluster")


def doomed(record: TerraformRun) -> list[str]:
    """Addresses of the databases that this run's proposal deletes."""
    proposal = record.change.proposal
    if proposal is None:
        return []
    gone = proposal.resource_changes.filter(type__in=[DATABASE, *BY_HAND], action__in=["delete", "replace"])
    return list(gone.values_list("address", flat=True))


def databases(environment: Environment, addresses: list[str]) -> list[Resource]:
    """These databases as the inventory knows them. Raises ToolFailure when it does not know one of them."""
    found = list(Resource.objects.filter(environment=environment, address__in=addresses))
    unknown = sorted(set(addresses) - {row.address for row in found})
    if unknown:
        raise ToolFailure(
            _("No final snapshot, so nothing was destroyed: the inventory does not know %(names)s.")
            % {"names": ", ".join(unknown)},
            _("Apply once more so that the inventory is read again, or refuse the final snapshot."),
        )
    return found


def take(work: Work, record: TerraformRun) -> None:
    """Make the snapshots and wait until they are available. Raises ToolFailure, Cancelled: nothing destroyed then."""
    addresses = doomed(record)
    if not addresses:
        return
    names = ", ".join(addresses)
    if record.skip_final_snapshot:
        with transaction.atomic():
            note_event(work.change, by=work.by, action="run.skip_final_snapshot", databases=names)
        work.say(_("No final snapshot, as requested and approved: %(names)s") % {"names": names})
        return
    environment = record.definition.environment
    _refuse_by_hand(record)
    found = databases(environment, addresses)
    if environment.account is None:
        raise ToolFailure(_("The environment has no AWS account to make the final snapshot in."))
    access = access_to(environment.account, environment.region)
    stamp = timezone.now().strftime("%Y%m%d-%H%M%S")
    try:
        for row in found:
            identifier = str(row.attributes.get("identifier") or row.provider_id)
            snapshot = f"{identifier}-final-{stamp}"[:255]
            work.say(_("Making the final snapshot %(snapshot)s.") % {"snapshot": snapshot})
            rds.create_snapshot(access, identifier, snapshot)
            _wait(work, access, snapshot)
            record.final_snapshots = [
                *record.final_snapshots,
                {"database": row.address, "snapshot": snapshot},
            ]
            record.save(update_fields=["final_snapshots"])
    except GatehouseError as refused:
        raise ToolFailure(
            _("No final snapshot, so nothing was destroyed: %(why)s") % {"why": refused.message}, refused.hint
        ) from refused
    with transaction.atomic():
        note_event(work.change, by=work.by, action="run.final_snapshot", snapshots=record.final_snapshots)


def _refuse_by_hand(record: TerraformRun) -> None:
    proposal = record.change.proposal
    assert proposal is not None
    rows = proposal.resource_changes.filter(type__in=BY_HAND, action__in=["delete", "replace"])
    names = ", ".join(rows.values_list("address", flat=True))
    if names:
        raise ToolFailure(
            _("The portal cannot make a final snapshot of %(names)s, so nothing was destroyed.")
            % {"names": names},
            _(
                "Make the snapshot by hand, then request the destroy without final snapshots, saying so in the reason."
            ),
        )


def _wait(work: Work, access: AccountAccess, snapshot: str) -> None:
    deadline = time.monotonic() + settings.FINAL_SNAPSHOT_TIMEOUT_SECONDS
    while True:
        status = rds.snapshot_status(access, snapshot)
        if status == "available":
            return
        if status in {"failed", "deleted"} or time.monotonic() > deadline:
            raise ToolFailure(
                _("The final snapshot %(s)s is %(status)s; nothing was destroyed.")
                % {"s": snapshot, "status": status}
            )
        work.lease.check()
        if work.wishes()[0]:
            raise Cancelled(_("Stopped before anything was destroyed."))
        time.sleep(POLL_SECONDS)
