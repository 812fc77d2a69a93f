"""The scene that the room's tests stand on is what it says it is."""

from __future__ import annotations

from environments.deployments.services import access_of, services_of
from environments.models import Tenant
from tests.environments.deployments.scene import Scene


def test_services_are_found_with_their_declarations(scene: Scene, tenant: Tenant) -> None:
    place = scene.environment(tenant, services=("ws", "api"))
    found = services_of(place.environment)
    assert [service.declaration.key for service in found] == ["ws", "api"]
    api, built = found[1], place.services["api"]
    assert (api.arn, api.name, api.cluster_arn) == (built.arn, built.name, place.built.cluster_arn)
    assert not api.declaration.problems
    assert api.declaration.blue_green is not None
    assert access_of(place.environment) == place.access


def test_environments_share_nothing_but_the_account(scene: Scene, tenant: Tenant) -> None:
    one, two = (scene.environment(tenant, services=("api",)) for _ in range(2))
    assert one.services["api"].arn != two.services["api"].arn
    # The same application: what staging runs can be asked for in production.
    assert one.services["api"].digests == two.services["api"].digests
    assert one.described("api")["desiredCount"] == 2
