"""The images a service could be deployed with: what its repository holds, what runs now, what ran before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext as _

from environments.deployments.asked.images import repository_of
from environments.deployments.proposal import running
from environments.deployments.proposal.last_good import proven
from environments.deployments.services import Service, access_of
from environments.models import Environment
from portal.aws import ecr, ecs
from portal.aws.ecr import Image
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from portal.core.errors import Conflict

MOST = 50


@dataclass(frozen=True)
class Offered:
    """One image with what it is to the service: `running` now, `proven` to run at a time (None: never)."""

    image: Image
    running: bool
    proven: datetime | None

    @property
    def name(self) -> str:
        """What a person would type: its newest-looking tag."""
        return self.image.tags[0] if self.image.tags else self.image.digest

    @property
    def grave(self) -> int | None:
        """Findings that are critical or high; None when not known."""
        scan = self.image.scan
        return None if scan is None else scan.get("CRITICAL", 0) + scan.get("HIGH", 0)


def offered(environment: Environment, service: Service) -> list[Offered]:
    """The newest images of the service's repository, newest first. Raises Conflict, AwsError."""
    access = access_of(environment)
    if access is None:
        raise Conflict(_("The environment has no AWS account, so nobody can list its images."))
    repository, now = _present(access, service)
    good = dict(
        proven(service.arn)
        .order_by()
        .values_list("digest")
        .annotate(at=Max("deployment__change__finished_at"))
    )
    return [
        Offered(image, image.digest == now, good.get(image.digest))
        for image in ecr.images(access, repository, MOST)
    ]


def _present(access: AccountAccess, service: Service) -> tuple[str, str]:
    """The repository, and the digest that runs ("" when it is not known)."""
    try:
        row = running.rows(access, [service]).get(service.arn)
        if row is None:
            return repository_of(access, service), ""
        definition = ecs.describe_task_definition(access, str(row["taskDefinition"]))
        digest = running.digest_of(access, row, definition, service.declaration.container)
    except AwsError:
        # A declared repository can be listed without a word from ECS; nothing is marked as running then.
        if not service.declaration.repository:
            raise
        return repository_of(access, service), ""
    return repository_of(access, service, definition), digest
