"""A proposed rollback: to the last good one it asks nobody, further back it does."""

from __future__ import annotations

import pytest

from environments.changes.models import Change
from environments.deployments import actions
from environments.deployments.models import Deployment, DeploymentPart
from tests.cast import by
from tests.environments.deployments.asked import out_of_band, proposed, registered

pytestmark = pytest.mark.django_db


def proven(place, arn, tag):
    """A deployment that brought this revision and was proven."""
    service = place.services["api"]
    change = Change.objects.create(
        environment=place.environment, kind="deployment", title=tag, status="succeeded"
    )
    record = Deployment.objects.create(change=change)
    DeploymentPart.objects.create(
        deployment=record,
        position=0,
        service_arn=service.arn,
        service=service.name,
        container="api",
        outcome="succeeded",
        registered_arn=arn,
        digest=service.digests[tag],
        tag=tag,
    )
    return record


def roll_back(scene, place, operator, record):
    change = actions.request_rollback(by=by(operator), environment=place.environment, deployment=record)
    return scene.drive(change, "approved", "awaiting_approval")


@pytest.fixture
def place(scene, tenant):
    return scene.environment(tenant, ("api",))


@pytest.fixture
def history(place):
    """v1, v2 and v3 were deployed and proven; v3 runs."""
    image = place.services["api"].image
    first = registered(place, "api", image=image("v1"))
    second = registered(place, "api", image=image("v2"))
    third = out_of_band(place, "api", image=image("v3"))
    return [proven(place, arn, tag) for arn, tag in ((first, "v1"), (second, "v2"), (third, "v3"))]


def test_to_the_last_good_one_nobody_is_asked(scene, place, history, operator):
    change = roll_back(scene, place, operator, history[1])
    service = place.services["api"]
    assert (change.status, change.proposal.facts["mode"]) == ("approved", "rollback")
    row = proposed(change, service.name)
    assert row.rendered["containerDefinitions"][0]["image"] == service.image("v2")
    assert (row.digest, row.tag) == (service.digests["v2"], "v2")
    assert change.summary == f"{service.name}: v3 to v2"


def test_further_back_somebody_is_asked(scene, place, history, operator):
    change = roll_back(scene, place, operator, history[0])
    assert (change.status, change.proposal.facts["mode"]) == ("awaiting_approval", "rollback_earlier")


def test_settings_of_deployments_come_back_and_terraforms_stay_as_they_are_now(
    scene, place, history, operator
):
    image = place.services["api"].image
    then = [{"name": "LOG_LEVEL", "value": "THEN"}, {"name": "ENVIRONMENT", "value": "then"}]
    now = [{"name": "LOG_LEVEL", "value": "NOW"}, {"name": "ENVIRONMENT", "value": "now"}]
    record = proven(place, registered(place, "api", image=image("v1"), environment=then), "v1")
    proven(place, out_of_band(place, "api", image=image("v3"), environment=now), "v3")
    place.declare(task_definition=registered(place, "api", environment=now))
    change = roll_back(scene, place, operator, record)
    assert change.proposal.facts["mode"] == "rollback"
    rendered = proposed(change, place.services["api"].name).rendered["containerDefinitions"][0]
    assert {one["name"]: one["value"] for one in rendered["environment"]} == {
        "LOG_LEVEL": "THEN",
        "ENVIRONMENT": "now",
    }


def test_an_image_that_ecr_has_no_more_fails_before_anything_is_touched(scene, place, history, operator):
    service = place.services["api"]
    place.client("ecr").batch_delete_image(
        repositoryName=service.repository, imageIds=[{"imageDigest": service.digests["v2"]}]
    )
    change = actions.request_rollback(by=by(operator), environment=place.environment, deployment=history[1])
    change = scene.drive(change)
    assert change.status == "failed"
    assert "has no image" in change.error_message
    assert place.described("api")["taskDefinition"].endswith(":4")
