"""Asking for images and settings of services, and the list of images to choose from."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from environments.changes import reviews
from environments.deployments import actions
from environments.deployments.asked.offered import offered
from environments.deployments.models import Act
from environments.deployments.requests import page
from environments.deployments.requests.forms import StrategyForm
from environments.deployments.requests.service_forms import ServiceForm
from environments.deployments.services import Service, service_of, services_of
from environments.models import Environment
from environments.pages import environment_context, find_environment, person_of
from environments.permissions import refusal
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.aws.errors import AwsError
from portal.core.errors import Conflict


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def request_deployment(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    services = services_of(environment)
    asked = _asked(request, services)
    change = page.send(request, asked, lambda: _ask(request, environment, asked))
    if change is not None:
        return redirect("changes:detail", change.uuid)
    context = common_context(request, environment, Act.DEPLOY, services)
    context |= {"form": asked.common, "rows": rows_of(context, asked.forms)}
    return render(request, "deployments/request.html", context, status=status_of(request))


def status_of(request: HttpRequest) -> int:
    return 400 if request.method == "POST" else 200


def common_context(
    request: HttpRequest, environment: Environment, act: str, services: list[Service]
) -> dict[str, Any]:
    """What every page that asks for something shows around its form."""
    context = environment_context(request, environment, "services")
    return context | {
        "denied": refusal(context["roles"], "change.request"),
        "card": reviews.card(environment, person_of(request)),
        "services": services,
        "looks": page.statuses(environment),
        "replaced": page.replaced(environment, act),
    }


def rows_of(context: dict[str, Any], forms: Any) -> list[dict[str, Any]]:
    """Each service's form with the last look at it and the pending request that it replaces."""
    return [
        {
            "form": form,
            "service": form.service,
            "look": context["looks"].get(form.service.arn),
            "replaced": context["replaced"].get(form.service.arn),
        }
        for form in forms
    ]


def _asked(request: HttpRequest, services: list[Service]) -> page.Requested[ServiceForm]:
    chosen = page.named(request, services)
    forms = [
        ServiceForm(
            prefix=f"s{number}",
            service=one,
            initial={"chosen": one.arn in chosen, "image": request.GET.get("image", "")},
            **page.posted(request),
        )
        for number, one in enumerate(services)
    ]
    common = StrategyForm(services=services, initial=_initial(request), **page.posted(request))
    return page.Requested(common, forms)


def _initial(request: HttpRequest) -> dict[str, str]:
    return {"reason": request.GET.get("reason", ""), "strategy": request.GET.get("strategy", "rolling")}


def _ask(request: HttpRequest, environment: Environment, asked: page.Requested[ServiceForm]) -> Any:
    assert isinstance(asked.common, StrategyForm)
    return actions.request_deployment(
        by=principal_of(request),
        environment=environment,
        services=[form.asked for form in asked.wanted],
        **asked.common.how,
    )


@signed_in
@never_cache
@require_safe
def images(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    """The images of one service, asked of ECR now: a part of the page for htmx, a page of its own without."""
    environment = find_environment(request, tenant, slug)
    service = service_of(environment, request.GET.get("service", ""))
    if service is None:
        raise Http404
    context: dict[str, Any] = {"service": service, "environment": environment}
    context |= {"field": request.GET.get("field", ""), "chosen": request.GET.get("chosen", "")}
    try:
        context["images"] = offered(environment, service)
    except (AwsError, Conflict) as refused:
        context["refused"] = refused
    if request.headers.get("HX-Request"):
        return render(request, "deployments/_images.html", context)
    context |= environment_context(request, environment, "services")
    return render(request, "deployments/images.html", context)
