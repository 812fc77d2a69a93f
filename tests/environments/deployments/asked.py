"""Requests for services of a scene, and what comes of them."""

from __future__ import annotations

import json
from typing import Any

from environments.changes.models import Change
from environments.deployments import actions
from environments.deployments.actions import Asked
from environments.deployments.models import ServiceProposal
from portal.accounts.models import User
from tests.cast import by
from tests.environments.deployments.scene import Place


def deploy(place: Place, user: User, image: str = "v2", *keys: str, **options: Any) -> Change:
    """A request for this image on these services (none named: all of the place)."""
    asked = [Asked(key, image=image) for key in keys or place.services]
    return actions.request_deployment(by=by(user), environment=place.environment, services=asked, **options)


def restart(place: Place, user: User, *keys: str, **options: Any) -> Change:
    asked = [Asked(key) for key in keys or place.services]
    return actions.request_restart(by=by(user), environment=place.environment, services=asked, **options)


def scale(place: Place, user: User, key: str, **counts: int) -> Change:
    return actions.request_scale(by=by(user), environment=place.environment, services=[Asked(key, **counts)])


def configure(place: Place, user: User, key: str, **settings: Any) -> Change:
    asked = [Asked(key, **settings)]
    return actions.request_deployment(by=by(user), environment=place.environment, services=asked)


def proposed(change: Change, service: str) -> ServiceProposal:
    """What the change's current proposal would do to this service."""
    assert change.proposal is not None
    return ServiceProposal.objects.get(proposal=change.proposal, part__service=service)


def registered(place: Place, key: str, **container: Any) -> str:
    """A revision registered past the portal, from the service's first one; its ARN."""
    definition = json.loads(json.dumps(place.services[key].definition))
    definition["containerDefinitions"][0] |= container
    answer = place.client("ecs").register_task_definition(**definition)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def out_of_band(place: Place, key: str, **container: Any) -> str:
    """Somebody deploys the service past the portal; the new revision's ARN."""
    arn = registered(place, key, **container)
    place.client("ecs").update_service(
        cluster=place.built.cluster_arn, service=place.services[key].name, taskDefinition=arn
    )
    return arn


def moved_tag(place: Place, key: str, tag: str, to: str) -> None:
    """Somebody pushes the image of the tag `to` under `tag` as well."""
    # The image that the tag goes away from gets another one: the sandbox forgets one without any.
    for name, digest in ((f"was-{tag}", tag), (tag, to)):
        _tag(place, key, name, place.services[key].digests[digest])


def _tag(place: Place, key: str, tag: str, digest: str) -> None:
    ecr, repository = place.client("ecr"), place.services[key].repository
    image = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])["images"][0]
    ecr.put_image(repositoryName=repository, imageManifest=image["imageManifest"], imageTag=tag)
