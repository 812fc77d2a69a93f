"""What a deployment would do to one service: what runs, what would be registered, what differs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from environments.changes.kinds import ToolFailure
from environments.deployments.asked import images, promoting
from environments.deployments.asked.images import Resolved
from environments.deployments.models import Act, Deployment, DeploymentPart, ServiceProposal
from environments.deployments.proposal import (
    counts,
    difference,
    ownership,
    rendering,
    running,
    secret_versions,
)
from environments.deployments.proposal.counts import Counts
from environments.deployments.proposal.rendering import Wanted
from environments.deployments.proposal.running import Running
from environments.deployments.services import Service
from environments.models import Environment
from portal.aws import ecs
from portal.aws.ecr import Image
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from portal.aws.task_definitions import fingerprint


@dataclass(frozen=True)
class ServicePlan:
    """One service of a proposal; `rendered` is {} when the running revision stays."""

    part: DeploymentPart
    service: Service
    container: str
    running: Running
    terraform_arn: str
    rendered: dict[str, Any]
    difference: list[difference.Row]
    digest: str
    tag: str
    # Of a scaling: before and after.
    counts: tuple[Counts, Counts]
    secrets: dict[str, str]
    image: Image | None = None
    image_before: Image | None = None
    preflight: list[dict[str, str]] = field(default_factory=list)

    @property
    def does_something(self) -> bool:
        return (
            bool(self.rendered) or self.part.deployment.act == Act.RESTART or self.counts[0] != self.counts[1]
        )


def plan(
    access: AccountAccess,
    environment: Environment,
    deployment: Deployment,
    part: DeploymentPart,
    service: Service,
    row: dict[str, Any] | None,
) -> ServicePlan:
    """Work out one service. Raises AwsError, and ToolFailure where it cannot be done."""
    container = part.container or service.declaration.container
    scales = deployment.act == Act.SCALE
    now = running.read(access, service, row, container, scaling=scales)
    container = container or _first(now)
    there = counts.present(now)
    kept = ServicePlan(
        part=part,
        service=service,
        container=container,
        running=now,
        terraform_arn=ownership.newest_of_terraform(
            environment, service.declaration, ownership.family_of(now.arn)
        ),
        rendered={},
        difference=[],
        digest="" if scales else now.digest,
        tag="",
        counts=(there, counts.asked(part.wanted, there, service.name) if scales else there),
        secrets={},
    )
    if scales:
        return kept
    if deployment.act == Act.RESTART:
        return replace(kept, secrets=secret_versions.versions(access, now.definition))
    return _rendered(access, deployment, kept)


def _first(now: Running) -> str:
    return str((images.container_of("", now.definition) or {}).get("name") or "")


def _rendered(access: AccountAccess, deployment: Deployment, kept: ServicePlan) -> ServicePlan:
    part, now, declaration = kept.part, kept.running, kept.service.declaration
    resolved = _image(access, deployment, kept)
    wanted = Wanted(
        image=resolved.image.reference if resolved else _pinned(kept),
        environment=part.wanted.get("environment", {}),
        unset=part.wanted.get("unset", ()),
        cpu=part.wanted.get("cpu"),
        memory=part.wanted.get("memory"),
    )
    source = _revision(access, str(part.wanted["revision"])) if "revision" in part.wanted else now.definition
    newest = _terraform(access, kept)
    rendered = rendering.render(source, newest, declaration, kept.container, wanted)
    asked = {f"environment.{name}" for name in [*wanted.environment, *wanted.unset]}
    asked |= {
        name for name in ("image", "cpu", "memory") if name in part.wanted or (name == "image" and resolved)
    }
    basis = difference.Basis(declaration, kept.container, frozenset(asked), newest is not None)
    same = fingerprint(rendered) == fingerprint(now.definition)
    return replace(
        kept,
        rendered={} if same else rendered,
        difference=difference.rows(now.definition, rendered, basis),
        digest=resolved.image.digest if resolved else now.digest,
        tag=resolved.tag if resolved else "",
        image=resolved.image if resolved else None,
        image_before=_known(access, kept) if resolved else None,
        secrets=secret_versions.versions(access, rendered),
    )


def _image(access: AccountAccess, deployment: Deployment, kept: ServicePlan) -> Resolved | None:
    """The image that is asked for. What was resolved once stays: a tag that is moved changes nothing that is asked."""
    wanted = kept.part.wanted
    before = (
        ServiceProposal.objects.filter(part_id=kept.part.pk)
        .exclude(digest="")
        .order_by("-proposal__number")
        .first()
    )
    if not wanted.get("image") and "source" not in wanted:
        return None
    if before is not None:
        asked, tag = before.digest, before.tag
    elif "source" in wanted:
        asked, tag = promoting.digest_there(deployment, kept.part), ""
    else:
        asked, tag = str(wanted["image"]), str(wanted.get("tag", ""))
    try:
        found = images.resolve(access, kept.service, asked, kept.running.definition)
    except AwsError as refused:
        if "source" in wanted and refused.code == "ImageNotFoundException":
            raise promoting.not_here(deployment, kept.part, refused) from refused
        raise
    return Resolved(found.image, tag or found.tag)


def _pinned(kept: ServicePlan) -> str:
    """The running image by its digest: other settings must not bring what its tag means by now."""
    own = images.container_of(kept.container, kept.running.definition) or {}
    found = images.parse(str(own.get("image") or ""))
    if found is None or found.digest or not found.host or not kept.running.digest:
        return ""
    return f"{found.host}/{found.repository}@{kept.running.digest}"


def _known(access: AccountAccess, kept: ServicePlan) -> Image | None:
    """The image that runs, for its labels; None when ECR does not have it (any more)."""
    if not kept.running.digest:
        return None
    try:
        return images.resolve(access, kept.service, kept.running.digest, kept.running.definition).image
    except AwsError as refused:
        if refused.permanent:
            return None
        raise


def _terraform(access: AccountAccess, kept: ServicePlan) -> dict[str, Any] | None:
    if not kept.terraform_arn:
        return None
    if kept.terraform_arn == kept.running.arn:
        return dict(kept.running.definition)
    return _revision(access, kept.terraform_arn)


def _revision(access: AccountAccess, arn: str) -> dict[str, Any]:
    try:
        return ecs.describe_task_definition(access, arn)
    except AwsError as refused:
        if not refused.permanent or refused.action:
            raise
        raise ToolFailure(
            _("The task definition %(name)s is not there any more: %(why)s")
            % {"name": arn.rpartition("/")[2], "why": refused.message},
            _(
                "Apply the environment's definition, so that its state names one that there is; or choose another."
            ),
        ) from refused
