"""Promoting: production is asked for exactly the digest that staging runs."""

from __future__ import annotations

import pytest

from environments.deployments import actions
from tests.cast import by
from tests.environments.deployments.asked import moved_tag, out_of_band, proposed

pytestmark = pytest.mark.django_db


def promote(place, source, user, *keys):
    return actions.request_promotion(
        by=by(user), environment=place.environment, source=source.environment, services=keys
    )


def both(scene, tenant):
    """Where it is brought to, and where it comes from."""
    return scene.environment(tenant, ("api",)), scene.environment(tenant, ("api",), production=False)


def test_the_digest_that_runs_there_and_not_what_its_tag_means_by_now(scene, tenant, operator):
    place, source = both(scene, tenant)
    out_of_band(place, "api", image=place.services["api"].image("v2"))
    moved_tag(source, "api", "latest", "v3")
    change = scene.drive(promote(place, source, operator), "awaiting_approval")
    service = place.services["api"]
    row = proposed(change, service.name)
    assert row.rendered["containerDefinitions"][0]["image"] == service.image("v1")
    assert change.summary == f"{service.name}: v2 to latest"
    assert change.title == f"Promote {service.name} from TriFlow AI staging to TriFlow AI production"


def test_an_image_that_is_not_here_fails_with_the_remedy(scene, tenant, operator):
    place, source = both(scene, tenant)
    service = place.services["api"]
    place.client("ecr").batch_delete_image(
        repositoryName=service.repository, imageIds=[{"imageDigest": service.digests["v1"]}]
    )
    change = scene.drive(promote(place, source, operator, "api"))
    assert change.status == "failed"
    assert "is not in the repository" in change.error_message
    assert "Push the same image" in change.error_hint


def test_what_is_being_deployed_there_is_not_settled(scene, tenant, operator):
    place, source = both(scene, tenant)
    source.fault("api", "never-healthy")
    out_of_band(source, "api", command=["new"])
    change = scene.drive(promote(place, source, operator, "api"))
    assert change.status == "failed"
    assert "is being deployed" in change.error_message
