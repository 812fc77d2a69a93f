"""The page that asks for a rollback says what comes back and what does not; the rollback goes ahead of all that waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from environments.changes import claims, execution
from environments.changes.models import Change, Claim, Vote
from environments.models import Tenant
from portal.accounts.models import User
from portal.accounts.principals import worker
from tests.environments.deployments.asked import deploy
from tests.environments.deployments.scene import Place, Scene, fresh
from tests.environments.deployments.test_outcomes import approved, running
from tests.environments.deployments.test_ways_back import sound

MIGRATE = {"name": "migrate", "command": ["true"]}


@dataclass
class Night:
    """A service on v3, with v2 to go back to; between the two a secret changed and a migration ran."""

    scene: Scene
    place: Place
    first: Change
    second: Change
    address: str

    def page(self, client: Client, **query: Any) -> str:
        return client.get(self.address, query).content.decode()


@pytest.fixture
def night(scene: Scene, tenant: Tenant, operator: User, approver: User, sign_in: Any, settings: Any) -> Night:
    settings.DEPLOYMENT_ALARM_SECONDS = 0.2
    place = scene.environment(tenant, services=("api",), desired=1)
    address = f"/environments/{tenant.slug}/{place.environment.slug}/deployments/rollback/"
    first = scene.drive(approved(scene, deploy(place, operator, "v2"), approver))
    text = sign_in(operator).get(address, {"change": first.uuid}).content.decode()
    assert "There is nothing to go back to" in text
    assert 'id="roll-back"' not in text
    secret = place.services["api"].secret_arn
    place.client("secretsmanager").put_secret_value(SecretId=secret, SecretString="another")
    second = scene.drive(approved(scene, deploy(place, operator, "v3", before_task=MIGRATE), approver))
    assert second.status == "succeeded", second.error_message
    return Night(scene, place, first, second, address)


def test_the_way_back_from_the_phone(
    night: Night,
    operator: User,
    viewer: User,
    approver: User,
    outsider: User,
    sign_in: Any,
    api: Any,
) -> None:
    look_at(night, sign_in(operator), sign_in(viewer), sign_in(outsider))
    press(night, sign_in(operator), sign_in(viewer), deploy(night.place, operator, "v1"), approver)
    ask_the_api(night, api(operator), api(viewer))


def look_at(night: Night, client: Client, viewer: Client, outsider: Client) -> None:
    name = night.place.services["api"].name
    for query in ({"change": night.second.uuid}, {"service": "api", "to": night.first.uuid}):
        text = night.page(client, **query)
        assert night.first.title in text and "Bring back" in text
        assert "Nobody has to approve it" in text
        assert "These have others since: DATABASE_URL" in text
        assert "“migrate” did is not undone" in text
    assert client.get(night.address, {"to": "nonsense"}).status_code == 404
    assert outsider.get(night.address).status_code == 404
    looking = night.page(viewer, service=name)
    assert 'id="roll-back"' not in looking and "You may look, not roll back" in looking


def press(night: Night, client: Client, viewer: Client, other: Change, approver: User) -> None:
    """One button: ahead of what waits, beside a Terraform run, without a vote, and not back by itself."""
    scene, place = night.scene, night.place
    waiting = approved(scene, other, approver)
    run = Change.objects.create(
        environment=place.environment, kind="terraform_run", title="apply", status="executing"
    )
    Claim.objects.create(change=run, subject=f"state:{place.environment.pk}")
    part = night.first.deployment.parts.get()
    assert viewer.post(night.address, {"part": part.pk}).status_code == 403
    assert client.put(night.address).status_code == 405
    assert client.post(night.address, {"part": "x"}).status_code == 302
    assert not Change.objects.filter(deployment__act="rollback").exists()

    answer = client.post(night.address, {"part": part.pk})
    change = Change.objects.get(deployment__act="rollback")
    assert answer["Location"] == f"/changes/{change.uuid}/"
    ready = scene.drive(change, "approved")
    assert not Vote.objects.filter(proposal=ready.proposal).exists()
    assert not execution.advance(str(waiting.uuid), by=worker("another"))
    ahead = claims.waiting_for(fresh(waiting))
    assert ahead is not None and ahead.change == change
    place.declare(bake_minutes=1)
    baking = scene.drive(ready, "verifying")
    assert running(place, "api") == {"v2"}
    sound(place)
    ended = scene.drive(baking)
    sound(place, "OK")
    assert ended.status == "regressed"
    assert "A rollback does not go back by itself" in ended.error_message
    assert running(place, "api") == {"v2"}


def ask_the_api(night: Night, operator: Any, viewer: Any) -> None:
    url = f"/api/v1/environments/{night.place.environment.key}/deployments/rollback/"
    asked = {"deployment": str(night.second.uuid)}
    assert viewer.post(url, asked, format="json").status_code == 403
    assert operator.post(url, {"deployment": "x"}, format="json").status_code == 400
    made = operator.post(url, asked, format="json")
    assert made.status_code == 201, made.content
    assert made.json()["kind"] == "deployment"
