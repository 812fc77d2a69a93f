"""Promotion: the digest that another environment of the tenant runs now, and whether it is here as well."""

from __future__ import annotations

from django.utils.translation import gettext as _

from environments.changes.kinds import ToolFailure
from environments.deployments.models import Deployment, DeploymentPart
from environments.deployments.proposal import running
from environments.deployments.rollout import recognising
from environments.deployments.services import access_of
from portal.aws import ecs
from portal.aws.errors import AwsError
from portal.aws.sessions import verify_identity


def digest_there(deployment: Deployment, part: DeploymentPart) -> str:
    """The digest that the source's service runs. Raises AwsError; ToolFailure while that is not one settled digest."""
    source = deployment.promoted_from
    assert source is not None
    access = access_of(source)
    wanted = part.wanted["source"]
    named = {"service": wanted["service"], "source": source}
    if access is None:
        raise ToolFailure(_("%(source)s has no AWS account any more.") % named)
    verify_identity(access)
    found = ecs.describe_services(access, wanted["cluster_arn"], [wanted["service_arn"]])
    if not found or found[0].get("status") != "ACTIVE":
        raise ToolFailure(_("ECS has no running service %(service)s in %(source)s any more.") % named)
    row = found[0]
    if len(row.get("deployments") or []) > 1 or recognising.primary(row).get("rolloutState") == "IN_PROGRESS":
        raise ToolFailure(
            _("%(service)s is being deployed in %(source)s at this moment: what it runs is not settled.")
            % named,
            _("Wait until that deployment has ended, then ask again."),
        )
    definition = ecs.describe_task_definition(access, str(row["taskDefinition"]))
    digest = running.digest_of(access, row, definition, wanted.get("container", ""))
    if not digest:
        raise ToolFailure(
            _("It is not known which digest %(service)s runs in %(source)s.") % named,
            _("Deploy it there through the portal once: that pins the image to its digest."),
        )
    return digest


def not_here(deployment: Deployment, part: DeploymentPart, refused: AwsError) -> ToolFailure:
    """Why the digest cannot be deployed here: another account or region has another registry."""
    return ToolFailure(
        _("The image that %(source)s runs is not in the repository of %(service)s: %(why)s")
        % {"source": deployment.promoted_from, "service": part.service, "why": refused.message},
        _("Push the same image to this repository, or let ECR replicate it here; its digest stays the same."),
    )
