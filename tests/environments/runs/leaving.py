"""An apply that ended early, straight in the database: its progress, the state that came last, what it left."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Environment
from environments.runs.models import Leftover, ResourceProgress, StateVersion, TerraformRun
from portal.accounts.models import User
from tests.environments.runs.crafted import planned, row

LINEAGE = "0d5a2b0e-0000-4000-8000-000000000001"
BEGAN = timedelta(minutes=3)


def document(resources: dict[str, str], *, serial: int = 1, deposed: dict[str, str] | None = None) -> bytes:
    """A state that holds resources "type.name" -> id; `deposed` are objects left behind under those addresses."""
    entries = []
    for address in sorted({*resources, *(deposed or {})}):
        kind, _dot, name = address.partition(".")
        instances: list[dict[str, Any]] = []
        if address in resources:
            instances.append({"schema_version": 0, "attributes": {"id": resources[address]}})
        if deposed and address in deposed:
            instances.append(
                {"schema_version": 0, "deposed": "0a1b2c3d", "attributes": {"id": deposed[address]}}
            )
        entries.append(
            {
                "mode": "managed",
                "type": kind,
                "name": name,
                "provider": 'provider["terraform.io/builtin/terraform"]',
                "instances": instances,
            }
        )
    body = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": serial,
        "lineage": LINEAGE,
        "outputs": {},
        "resources": entries,
    }
    return json.dumps(body).encode()


def written(
    environment: Environment,
    resources: dict[str, str],
    *,
    change: Change | None = None,
    at: datetime | None = None,
    deposed: dict[str, str] | None = None,
) -> StateVersion:
    """The next state version."""
    number = StateVersion.objects.filter(environment=environment).count() + 1
    content = document(resources, serial=number, deposed=deposed)
    return StateVersion.objects.create(
        environment=environment,
        number=number,
        lineage=LINEAGE,
        serial=number,
        resource_count=len(resources),
        size=len(content),
        md5="0" * 32,
        content=content,
        change=change,
        written_by="run",
        created_at=at or timezone.now(),
    )


def executing(environment: Environment, user: User, *addresses: str, **run: Any) -> Change:
    """A change whose Terraform was let loose on these addresses three minutes ago; nobody works on it any more."""
    change = planned(environment, user, [row(address, "create") for address in addresses], **run)
    now = timezone.now()
    Change.objects.filter(pk=change.pk).update(
        status=Status.EXECUTING, started_at=now - BEGAN, due_at=None, lease_until=now - timedelta(seconds=1)
    )
    TerraformRun.objects.filter(change=change).update(command="apply", unreckoned=True)
    return Change.objects.for_lists().get(pk=change.pk)


def told(
    change: Change, address: str, resource_id: str = "", *, state: str = "done", action: str = "create"
) -> ResourceProgress:
    """What Terraform had said of one resource, begun two minutes and ended one minute ago."""
    now = timezone.now()
    return ResourceProgress.objects.create(
        change=change,
        address=address,
        type=address.partition(".")[0],
        action=action,
        state=state,
        resource_id=resource_id,
        started_at=now - timedelta(minutes=2),
        ended_at=None if state == "running" else now - timedelta(minutes=1),
    )


def ended(change: Change, status: str = Status.INTERRUPTED) -> Change:
    """The change with its final status, its worker and Terraform dead."""
    Change.objects.filter(pk=change.pk).update(
        status=status, finished_at=timezone.now(), lease_until=None, tool_process={}, lease_owner={}
    )
    return Change.objects.for_lists().get(pk=change.pk)


def left(environment: Environment, user: User, **resources: str) -> Change:
    """A change that ended early and left terraform_data.NAME=id for each; an empty id is one only begun."""
    change = executing(environment, user, *(f"terraform_data.{name}" for name in resources))
    change = ended(change)
    TerraformRun.objects.filter(change=change).update(unreckoned=False)
    for name, resource_id in resources.items():
        Leftover.objects.create(
            environment=environment,
            change=change,
            address=f"terraform_data.{name}",
            type="terraform_data",
            resource_id=resource_id,
            made_at=timezone.now() if resource_id else None,
        )
    return Change.objects.for_lists().get(pk=change.pk)
