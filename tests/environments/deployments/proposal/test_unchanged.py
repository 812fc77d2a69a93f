"""A service of a deployment that runs what is wanted already: proven, never touched."""

from __future__ import annotations

import pytest

from tests.environments.deployments.asked import deploy, out_of_band

pytestmark = pytest.mark.django_db


def test_the_other_service_alone_is_deployed(scene, tenant, operator):
    place = scene.environment(tenant, production=False, desired=1)
    api, ws = place.services["api"], place.services["ws"]
    arn = out_of_band(place, "api", image=api.image("v2"))
    change = scene.drive(deploy(place, operator), "approved")
    assert change.summary == f"{api.name}: stays as it is; {ws.name}: latest to v2"
    before = {row["id"] for row in place.described("api")["deployments"]}
    change = scene.drive(change)
    assert change.status == "succeeded", change.error_message
    parts = {part.service: part for part in change.deployment.parts.all()}
    assert parts[api.name].registered_arn == place.described("api")["taskDefinition"] == arn
    assert (parts[api.name].outcome, parts[api.name].intended_at) == ("succeeded", None)
    assert {row["id"] for row in place.described("api")["deployments"]} <= before
    assert parts[ws.name].registered_arn == place.described("ws")["taskDefinition"]
    assert parts[ws.name].digest == ws.digests["v2"]
