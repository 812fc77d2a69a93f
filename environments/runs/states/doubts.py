"""After the portal was restored: states that Terraform may have written since the backup.

Each is locked until a person says that it is what stands in AWS, or takes the newer copy from the account's bucket.
The lock is the ordinary one: no run, no command line and no edit writes past it.
"""

from __future__ import annotations

import uuid

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.models import Environment
from environments.permissions import actor
from environments.runs.models import StateLock
from portal import audit
from portal.accounts.principals import Principal

# The lock document's "Operation", by which this lock is known from others.
OPERATION = "GatehouseRestore"


def raise_all(*, as_of: str, by: Principal) -> list[str]:
    """Lock the state of every environment that may have been built; returns their keys. Inside a transaction."""
    places = Environment.objects.filter(retired_at=None).exclude(blueprint="").select_related("tenant")
    keys = []
    for environment in places.order_by("tenant__slug", "slug"):
        _raise(environment, as_of, by)
        keys.append(environment.key)
    return keys


def _raise(environment: Environment, as_of: str, by: Principal) -> None:
    held = StateLock.objects.select_for_update().filter(environment=environment).first()
    reason = _(
        "The portal was restored from its backup of %(at)s. Terraform may have written a newer state since: "
        "compare with what stands in AWS before anything runs."
    ) % {"at": as_of}
    if held is not None:
        reason += " " + _("At the time of the backup %(who)s held the lock.") % {"who": held.holder}
        held.delete()
    lock_id = str(uuid.uuid4())
    StateLock.objects.create(
        environment=environment,
        lock_id=lock_id,
        info={
            # Terraform shows its user nothing but the ID of the lock that stands in the way.
            "ID": reason[:500],
            "Operation": OPERATION,
            "Who": "Gatehouse",
            "Info": reason,
            "Created": timezone.now().isoformat(),
        },
        holder=_("the restore of the portal"),
        reason=reason,
    )
    audit.record(
        actor=actor(by, environment),
        action="state.doubt",
        target=audit.Target("state", environment.key, str(environment)),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        after={"lock": lock_id, "backup_of": as_of},
        detail=reason,
    )


def doubted(lock: StateLock | None) -> bool:
    """Whether this lock is the one that a restore left."""
    return lock is not None and lock.info.get("Operation") == OPERATION
