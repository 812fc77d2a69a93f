"""Deployments that begin to execute: rows as a proposal and its approval leave them, without either."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from environments.changes import claims
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Proposal
from environments.deployments.kind import KIND
from environments.deployments.models import Deployment, DeploymentPart, ServiceProposal
from portal.aws import ecs
from portal.aws.task_definitions import registrable
from tests.environments.deployments.scene import Place


def approved(place: Place, image: str = "v2", *keys: str, act: str = "deploy", **fields: Any) -> Change:
    """A change that executes and that no worker has looked at.

    `image` is a tag, `images` the tags of services that get another one; `fields` are the Deployment's.
    """
    with transaction.atomic():
        change = Change.objects.create(
            environment=place.environment,
            kind=KIND,
            title=f"{act} {image}",
            status=Status.EXECUTING,
            requested_by_name="test",
        )
        wanted, images = fields.pop("wanted", {}), fields.pop("images", {})
        deployment = Deployment.objects.create(change=change, act=act, **fields)
        change.proposal = Proposal.objects.create(
            change=change, number=1, digest="0" * 64, facts={}, base={}, summary="one"
        )
        change.save(update_fields=["proposal"])
        for position, key in enumerate(keys or place.services):
            _part(place, deployment, change.proposal, key, images.get(key, image), position, wanted)
        claims.take(change)
    return Change.objects.for_lists().get(pk=change.pk)


def part_of(change: Change, position: int = 0) -> DeploymentPart:
    return DeploymentPart.objects.get(deployment__change=change, position=position)


def _part(
    place: Place,
    deployment: Deployment,
    proposal: Proposal,
    key: str,
    image: str,
    position: int,
    wanted: dict[str, Any],
) -> None:
    service = place.services[key]
    running = str(place.described(key)["taskDefinition"])
    part = DeploymentPart.objects.create(
        deployment=deployment,
        position=position,
        address=f'module.service["{key}"].aws_ecs_service.this',
        service_arn=service.arn,
        service=service.name,
        cluster_arn=place.built.cluster_arn,
        container=service.container,
        wanted=wanted,
    )
    changes = deployment.act in ("deploy", "configure")
    ServiceProposal.objects.create(
        proposal=proposal,
        part=part,
        position=position,
        running_arn=running,
        running_digest=service.digests["v1"],
        tag=image if changes else "",
        digest=service.digests[image] if changes else "",
        rendered=_rendered(place, key, running, image, wanted) if changes else {},
    )


def _rendered(place: Place, key: str, running: str, image: str, wanted: dict[str, Any]) -> dict[str, Any]:
    made = registrable(ecs.describe_task_definition(place.access, running))
    container = made["containerDefinitions"][0]
    container["image"] = place.services[key].image(image)
    container["environment"] = [
        *container.get("environment", []),
        *({"name": name, "value": value} for name, value in wanted.get("environment", {}).items()),
    ]
    return made
