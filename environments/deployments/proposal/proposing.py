"""From what is asked to what exactly would happen: read what runs, render, look ahead; nothing is altered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from environments.changes.kinds import Cancelled, Draft, ToolFailure
from environments.changes.models import Proposal
from environments.changes.work import Work
from environments.deployments import preflight
from environments.deployments.asked import images
from environments.deployments.models import Deployment, DeploymentPart, ServiceProposal
from environments.deployments.proposal import bases, digests, image_facts, running, service_plans, wording
from environments.deployments.proposal.service_plans import ServicePlan
from environments.deployments.services import Service, access_of, services_of
from environments.models import Environment
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, verify_identity


def propose(work: Work) -> Draft:
    """The rendered task definitions beside the running ones. Raises ToolFailure, Cancelled."""
    change = work.change
    deployment, environment = change.deployment, change.environment
    try:
        access = access_of(environment)
        if access is None:
            raise ToolFailure(
                _("%(environment)s has no AWS account any more.") % {"environment": environment},
                _("Choose its account on the environment's page."),
            )
        verify_identity(access)
        found = _plans(work, access, environment, deployment)
        found = _looked_ahead(access, environment, deployment, found)
    except AwsError as refused:
        raise ToolFailure(refused.message, refused.hint) from refused
    for plan in found:
        for line in wording.lines(plan):
            work.say(line)
    _insist(found)
    return Draft(
        digest=digests.of_proposal(deployment, found),
        facts=wording.facts(deployment, found),
        base=bases.base_of(environment, found),
        summary=wording.summary(deployment, found),
        empty=not any(plan.does_something for plan in found),
        title=wording.title(change, found),
        keep=lambda proposal: _keep(proposal, found),
    )


def _plans(
    work: Work, access: AccountAccess, environment: Environment, deployment: Deployment
) -> list[ServicePlan]:
    here = {service.arn: service for service in services_of(environment)}
    parts = list(deployment.parts.select_related("deployment"))
    services = [_service(here, part, environment) for part in parts]
    rows = running.rows(access, services)
    found = []
    for part, service in zip(parts, services, strict=True):
        if work.wishes()[0]:
            raise Cancelled(_("Cancelled while it was proposed; nothing was altered."))
        found.append(
            service_plans.plan(access, environment, deployment, part, service, rows.get(service.arn))
        )
    return found


def _service(here: dict[str, Service], part: DeploymentPart, environment: Environment) -> Service:
    if part.service_arn not in here:
        raise ToolFailure(
            _("The inventory of %(environment)s holds the service %(name)s no more.")
            % {"environment": environment, "name": part.service},
            _("Apply a definition that has it, or ask for another service."),
        )
    return here[part.service_arn]


def _looked_ahead(
    access: AccountAccess, environment: Environment, deployment: Deployment, found: Sequence[ServicePlan]
) -> list[ServicePlan]:
    """The plans with what their preflights found."""
    targets = [
        preflight.Target(
            service=plan.service,
            running_service=plan.running.service,
            running_definition=plan.running.definition,
            rendered=plan.rendered,
            image=plan.image,
            present_digest=plan.running.digest,
            act=deployment.act,
            strategy=deployment.strategy,
            desired=plan.counts[1]["desired"] if plan.counts[0] != plan.counts[1] else None,
        )
        for plan in found
    ]
    findings = preflight.run(access, environment, targets)
    return [replace(plan, preflight=rows) for plan, rows in zip(found, findings, strict=True)]


def _insist(found: Sequence[ServicePlan]) -> None:
    """Stop where it is proven that it cannot work; what differs nowhere need not work."""
    wrong = [
        (f"{plan.service.name}: {row['text']}", row["hint"])
        for plan in found
        if plan.does_something
        for row in plan.preflight
        if row["state"] == preflight.FAILING
    ]
    if wrong:
        raise ToolFailure(
            "\n".join([_("It cannot work as it is asked for:"), *(text for text, _hint in wrong)]),
            "\n".join(dict.fromkeys(hint for _text, hint in wrong if hint)),
        )


def _keep(proposal: Proposal, found: Sequence[ServicePlan]) -> None:
    """Write the kind's own rows, inside the transaction that stores the proposal."""
    for position, plan in enumerate(found):
        if not plan.part.container and plan.container:
            DeploymentPart.objects.filter(pk=plan.part.pk).update(container=plan.container)
        ServiceProposal.objects.create(
            proposal=proposal,
            part=plan.part,
            position=position,
            running_arn=plan.running.arn,
            running_digest=plan.running.digest,
            repository=_repository(plan),
            tag=plan.tag,
            digest=plan.digest,
            rendered=plan.rendered,
            difference=plan.difference,
            image=image_facts.facts(plan.image, plan.image_before) if plan.image else {},
            preflight=plan.preflight,
        )


def _repository(plan: ServicePlan) -> str:
    if plan.image is not None:
        return plan.image.repository_uri.partition("/")[2]
    own: dict[str, Any] = images.container_of(plan.container, plan.running.definition) or {}
    found = images.parse(str(own.get("image") or ""))
    return found.repository if found else ""
