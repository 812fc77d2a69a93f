"""The forms of one request, filled and sent: what was typed stays, and every refusal stands at its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.http import HttpRequest

from environments.changes.models import Change
from environments.deployments.asked.superseding import NATURES, PENDING
from environments.deployments.models import DeploymentPart, ServiceStatus
from environments.deployments.requests.forms import ReasonForm
from environments.deployments.requests.service_forms import CountForm, ServiceForm
from environments.deployments.services import Service
from environments.models import Environment
from portal.core.errors import InvalidInput

F = TypeVar("F", ServiceForm, CountForm)


@dataclass
class Requested(Generic[F]):
    """The common form, a form for each service, and which of these are asked for."""

    common: ReasonForm
    forms: Sequence[F] = ()
    wanted: list[F] = field(default_factory=list)

    def is_valid(self) -> bool:
        # Every form is asked, so that everything wrong is shown at once; what is not wanted cannot be wrong.
        valid = {form: form.is_valid() for form in self.forms}
        self.wanted = [form for form in self.forms if form.is_wanted]
        return self.common.is_valid() and all(valid[form] for form in self.wanted)

    def tell(self, wrong: InvalidInput) -> None:
        """What the action found wrong, at the service or the field that it speaks of."""
        places = {f"services.{index}.": form for index, form in enumerate(self.wanted)}
        for at, form in places.items():
            form.tell(wrong, at)
        rest = {name: texts for name, texts in wrong.errors.items() if not name.startswith(tuple(places))}
        if rest:
            self.common.tell(InvalidInput(rest, hint=wrong.hint))


def posted(request: HttpRequest) -> dict[str, Any]:
    """What a form begins with: what was sent, or nothing."""
    return {"data": request.POST} if request.method == "POST" else {}


def named(request: HttpRequest, services: Sequence[Service]) -> set[str]:
    """ARNs of the services that the address names; the only one there is needs no name."""
    names = set(request.GET.getlist("service"))
    found = {one.arn for one in services if names & {one.arn, one.name, one.address, one.declaration.key}}
    return found or ({services[0].arn} if len(services) == 1 else set())


def statuses(environment: Environment) -> Mapping[str, ServiceStatus]:
    """Service ARN -> the last look at it."""
    rows = ServiceStatus.objects.filter(environment=environment).defer("tasks", "deployments")
    return {row.service_arn: row for row in rows}


def send(request: HttpRequest, page: Requested[Any], ask: Callable[[], Change]) -> Change | None:
    """The change, or None when something was wrong; what stands then in the forms."""
    if request.method != "POST" or not page.is_valid():
        return None
    try:
        return ask()
    except InvalidInput as wrong:
        page.tell(wrong)
        return None


def replaced(environment: Environment, act: str) -> Mapping[str, Change]:
    """Service ARN -> the pending request that a new one of this act takes the place of."""
    rows = DeploymentPart.objects.filter(
        deployment__change__environment=environment,
        deployment__change__status__in=PENDING,
        deployment__act__in=NATURES[act],
    )
    return {row.service_arn: row.deployment.change for row in rows.select_related("deployment__change")}
