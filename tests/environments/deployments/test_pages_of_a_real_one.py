"""A deployment through the sandbox, as its pages tell it: what is shown is what was really seen."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.test import Client

from environments.changes import execution
from environments.changes.models import Change
from environments.deployments import actions
from environments.deployments.actions import Asked
from environments.deployments.status import checks
from environments.models import Tenant
from portal.accounts.models import User
from portal.accounts.principals import worker
from tests.cast import by
from tests.environments.deployments.scene import Scene, fresh


@pytest.mark.slow
def test_from_request_to_history(
    scene: Scene, tenant: Tenant, operator: User, approver: User, sign_in: Callable[[User], Client]
) -> None:
    place = scene.environment(tenant, services=("api",))
    api, environment = place.services["api"], place.environment
    client, here = sign_in(operator), f"/environments/{tenant.slug}/{place.environment.slug}"
    change = actions.request_deployment(
        by=by(operator), environment=environment, services=[Asked(service=api.name, image="v2")]
    )
    change = scene.drive(change, "awaiting_approval")
    text = client.get(f"/changes/{change.uuid}/").content.decode()
    assert api.digests["v2"][:19] in text
    assert "linux/amd64" in text
    assert "The tasks of" in text
    assert "Checked before" in text
    scene.approve(change, approver)
    seen: set[str] = set()
    deadline, looked = time.monotonic() + 40, 0.0
    while not change.is_final and time.monotonic() < deadline:
        Change.objects.filter(pk=change.pk, lease_until=None).update(look_at=None)
        if not execution.advance(str(change.uuid), by=worker("test worker")):
            time.sleep(0.02)
        if time.monotonic() > looked + 0.3:
            looked = time.monotonic()
            text = client.get(f"/changes/{change.uuid}/live/").content.decode()
            seen |= {said for said in ("Rolling out", "of 2 running", ">new</span>") if said in text}
        change = fresh(change)
    assert change.status == "succeeded", change.error_message
    assert seen >= {"Rolling out", "of 2 running", ">new</span>"}
    checks.check(environment.pk)
    text = client.get(f"{here}/services/").content.decode()
    assert f"v2 · {api.digests['v2'][7:19]}" in text
    assert "Healthy" in text
    assert "Runs what nobody deployed from here" not in text
    text = client.get(f"{here}/service/{api.name}/").content.decode()
    assert str(approver) in text
    assert "1 deployment" in text
