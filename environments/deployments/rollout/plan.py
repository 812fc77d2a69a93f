"""What one visit of an execute phase works with: the deployment, its services in order, and what was approved for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from environments.changes.kinds import ToolFailure
from environments.changes.work import Work
from environments.deployments.declarations import Declaration
from environments.deployments.models import Deployment, DeploymentPart, ServiceProposal
from environments.deployments.proving.back_again import write
from environments.deployments.proving.observing import parts_of
from environments.deployments.services import access_of, services_of
from portal.aws.sessions import AccountAccess
from portal.core.redaction import looks_secret

# A value shorter than this would blacken half of the log.
SHORTEST_SECRET = 6


@dataclass
class Plan:
    """One visit. Rows are as they were when it began."""

    work: Work
    access: AccountAccess
    deployment: Deployment
    parts: list[DeploymentPart]
    proposals: Mapping[int, ServiceProposal]
    declarations: Mapping[str, Declaration]

    @classmethod
    def of(cls, work: Work) -> Plan:
        """Read it fresh. What looks secret in the approved settings is masked in the log from now on."""
        environment = work.change.environment
        access = access_of(environment)
        if access is None:
            raise ToolFailure(
                _("The environment has no AWS account any more."), _("Give it one, then request this again.")
            )
        deployment = Deployment.objects.get(change=work.change)
        parts = parts_of(deployment)
        rows = ServiceProposal.objects.filter(proposal__current_of=work.change)
        proposals = {row.part_id: row for row in rows}
        work.log.redactor.add(_secrets(parts, proposals))
        declared = {service.arn: service.declaration for service in services_of(environment)}
        return cls(work, access, deployment, parts, proposals, declared)

    def proposal_of(self, part: DeploymentPart) -> ServiceProposal:
        """What was approved for this service."""
        found = self.proposals.get(part.pk)
        if found is None:
            raise ToolFailure(
                _("The proposal says nothing of %(service)s.") % {"service": part.service},
                _("Request the deployment again."),
            )
        return found

    def declaration_of(self, part: DeploymentPart) -> Declaration:
        """What the blueprint declares of the service; the plainest declaration where it says nothing."""
        found = self.declarations.get(part.service_arn)
        return found or Declaration(key=part.service, service_arn=part.service_arn)

    @property
    def touched(self) -> list[DeploymentPart]:
        """The services of which ECS has been told something, or may have been."""
        return [part for part in self.parts if part.intended_at is not None]

    def say_once(self, part: DeploymentPart, text: str) -> None:
        """Say something of a service unless it was the last thing said of it."""
        if part.progress.get("said") != text:
            self.work.say(f"{part.service}: {text}")
            write(self.work, part, progress={**part.progress, "said": text})


def _secrets(parts: list[DeploymentPart], proposals: Mapping[int, ServiceProposal]) -> list[str]:
    found = [str(value) for part in parts for value in (part.wanted.get("environment") or {}).values()]
    for row in proposals.values():
        for container in row.rendered.get("containerDefinitions", []):
            found += _values(container)
    return [value for value in found if len(value) >= SHORTEST_SECRET]


def _values(container: Mapping[str, Any]) -> list[str]:
    return [
        str(one.get("value") or "")
        for one in container.get("environment") or []
        if looks_secret(str(one.get("name")))
    ]
