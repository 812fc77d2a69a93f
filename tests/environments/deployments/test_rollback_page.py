"""The page that asks for a rollback says before what comes back, what does not, and who has to say yes."""

from __future__ import annotations

from typing import Any

from environments.changes.models import Change
from environments.models import Tenant
from portal.accounts.models import User
from tests.environments.deployments.asked import deploy
from tests.environments.deployments.scene import Scene
from tests.environments.deployments.test_outcomes import approved, running

MIGRATE = {"name": "migrate", "command": ["true"]}


def test_the_way_back_from_the_phone(
    scene: Scene,
    tenant: Tenant,
    operator: User,
    viewer: User,
    approver: User,
    outsider: User,
    sign_in: Any,
    api: Any,
) -> None:
    place = scene.environment(tenant, services=("api",), desired=1)
    service, where = place.services["api"], place.environment
    address = f"/environments/{tenant.slug}/{where.slug}/deployments/rollback/"
    client = sign_in(operator)
    first = scene.drive(approved(scene, deploy(place, operator, "v2"), approver))
    text = client.get(address, {"change": first.uuid}).content.decode()
    assert "There is nothing to go back to" in text
    assert 'id="roll-back"' not in text
    place.client("secretsmanager").put_secret_value(SecretId=service.secret_arn, SecretString="another")
    second = scene.drive(approved(scene, deploy(place, operator, "v3", before_task=MIGRATE), approver))
    assert second.status == "succeeded", second.error_message

    for query in ({"change": second.uuid}, {"service": "api", "to": first.uuid}):
        text = client.get(address, query).content.decode()
        assert first.title in text and "Bring back" in text
        assert "Nobody has to approve it" in text
        assert "These have others since: DATABASE_URL" in text
        assert "“migrate” did is not undone" in text
    assert client.get(address, {"to": "nonsense"}).status_code == 404
    part = first.deployment.parts.get()

    assert sign_in(outsider).get(address).status_code == 404
    looking = sign_in(viewer).get(address, {"service": service.name}).content.decode()
    assert 'id="roll-back"' not in looking and "You may look, not roll back" in looking
    assert sign_in(viewer).post(address, {"part": part.pk}).status_code == 403
    assert client.put(address).status_code == 405
    assert client.post(address, {"part": "x"}).status_code == 302
    assert not Change.objects.filter(deployment__act="rollback").exists()

    answer = client.post(address, {"part": part.pk})
    change = Change.objects.get(deployment__act="rollback")
    assert answer["Location"] == f"/changes/{change.uuid}/"
    ended = scene.drive(change)
    assert ended.status == "succeeded", ended.error_message
    assert running(place, "api") == {"v2"}

    url = f"/api/v1/environments/{where.key}/deployments/rollback/"
    assert api(viewer).post(url, {"deployment": second.uuid}, format="json").status_code == 403
    wrong = api(operator).post(url, {"deployment": str(where.pk)}, format="json")
    assert wrong.status_code == 400
    made = api(operator).post(url, {"deployment": str(second.uuid)}, format="json")
    assert made.status_code == 201, made.content
    assert made.json()["kind"] == "deployment"
