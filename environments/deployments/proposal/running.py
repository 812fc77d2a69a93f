"""What a service runs at this moment, read from AWS: its task definition, the digest behind it, its counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from environments.changes.kinds import ToolFailure
from environments.deployments.asked import images
from environments.deployments.services import Service
from portal.aws import autoscaling, ecs
from portal.aws.autoscaling import Scaling
from portal.aws.sessions import AccountAccess


@dataclass(frozen=True)
class Running:
    """One service as AWS has it: `service` and `definition` are boto3's shapes; `digest` is "" when unknown."""

    service: Mapping[str, Any]
    definition: Mapping[str, Any]
    digest: str
    scaling: Scaling | None

    @property
    def arn(self) -> str:
        """Of the task definition."""
        return str(self.service.get("taskDefinition") or "")


def rows(access: AccountAccess, services: Iterable[Service]) -> dict[str, dict[str, Any]]:
    """Service ARN -> what DescribeServices says of it, in as few calls as there are clusters. Raises AwsError."""
    found: dict[str, dict[str, Any]] = {}
    by_cluster: dict[str, list[str]] = {}
    for service in services:
        by_cluster.setdefault(service.cluster_arn, []).append(service.arn)
    for cluster, arns in by_cluster.items():
        found |= {str(row["serviceArn"]): row for row in ecs.describe_services(access, cluster, arns)}
    return found


def scaling_of(access: AccountAccess, service: Service) -> Scaling | None:
    """The bounds that autoscaling keeps; None when it does not scale this service. Raises AwsError."""
    return autoscaling.scaling_of(access, service.cluster_arn.rpartition("/")[2], service.name)


def read(
    access: AccountAccess, service: Service, row: Mapping[str, Any] | None, container: str, *, scaling: bool
) -> Running:
    """What the service of this row runs. Raises AwsError, and ToolFailure when it cannot be deployed at all."""
    _refuse_unfit(service, row)
    assert row is not None
    definition = ecs.describe_task_definition(access, str(row["taskDefinition"]))
    bounds = scaling_of(access, service) if scaling else None
    return Running(row, definition, digest_of(access, row, definition, container), bounds)


def _refuse_unfit(service: Service, row: Mapping[str, Any] | None) -> None:
    if row is None or row.get("status") != "ACTIVE":
        raise ToolFailure(
            _("ECS has no running service %(name)s any more.") % {"name": service.name},
            _("Apply the environment's definition to make it again, or look at its drift."),
        )
    controller = (row.get("deploymentController") or {}).get("type", "ECS")
    if controller != "ECS":
        raise ToolFailure(
            _("%(name)s is deployed by %(controller)s, not by ECS itself.")
            % {"name": service.name, "controller": controller},
            _("Set its deployment controller to ECS in the blueprint; the portal deploys no other."),
        )


def digest_of(
    access: AccountAccess, row: Mapping[str, Any], definition: Mapping[str, Any], container: str
) -> str:
    """The digest that the container runs: as its reference says, else as ECS resolved its tag; "" when unknown."""
    own = images.container_of(container, definition) or {}
    pinned = images.digest_in(str(own.get("image") or ""))
    if pinned:
        return pinned
    revisions = [str(one["arn"]) for one in row.get("currentServiceRevisions") or []]
    # Two revisions stand side by side while a deployment is under way: then it is not one digest.
    if len(revisions) != 1:
        return ""
    for revision in ecs.describe_service_revisions(access, revisions):
        for image in revision.get("containerImages") or []:
            if image.get("containerName") == own.get("name"):
                return str(image.get("imageDigest") or "")
    return ""
