"""Asking for new tasks, for more or fewer of them, and for what another environment runs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from environments.changes.models import Change
from environments.deployments import actions
from environments.deployments.actions import Asked
from environments.deployments.models import Act
from environments.deployments.requests import page, promoting
from environments.deployments.requests.forms import ReasonForm
from environments.deployments.requests.other_forms import PromoteForm, RestartForm
from environments.deployments.requests.service_forms import CountForm
from environments.deployments.requests.views import common_context, rows_of, status_of
from environments.deployments.services import Service, services_of
from environments.models import Environment
from environments.pages import find_environment
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of

METHODS = ["GET", "HEAD", "POST"]


@signed_in
@never_cache
@require_http_methods(METHODS)
def restart(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    services = services_of(environment)
    initial = {"services": sorted(page.named(request, services))}
    form = RestartForm(services=services, initial=initial, **page.posted(request))

    def ask() -> Change:
        wanted = [Asked(service=arn) for arn in form.cleaned_data["services"]]
        return actions.request_restart(
            by=principal_of(request), environment=environment, services=wanted, **form.said
        )

    change = page.send(request, page.Requested[CountForm](form), ask)
    if change is not None:
        return redirect("changes:detail", change.uuid)
    context = common_context(request, environment, Act.RESTART, services) | {"form": form}
    return render(request, "deployments/restart.html", context, status=status_of(request))


@signed_in
@never_cache
@require_http_methods(METHODS)
def scale(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    services = services_of(environment)
    asked = _counts(request, services)

    def ask() -> Change:
        wanted = [form.asked for form in asked.wanted]
        return actions.request_scale(
            by=principal_of(request), environment=environment, services=wanted, **asked.common.said
        )

    change = page.send(request, asked, ask)
    if change is not None:
        return redirect("changes:detail", change.uuid)
    context = common_context(request, environment, Act.SCALE, services) | {"form": asked.common}
    context["rows"] = rows_of(context, asked.forms)
    return render(request, "deployments/scale.html", context, status=status_of(request))


def _counts(request: HttpRequest, services: list[Service]) -> page.Requested[CountForm]:
    named = page.named(request, services)
    # The services that were asked for come first; all others can be scaled along.
    ordered = sorted(enumerate(services), key=lambda row: row[1].arn not in named)
    forms = [CountForm(prefix=f"s{number}", service=one, **page.posted(request)) for number, one in ordered]
    return page.Requested(ReasonForm(**page.posted(request)), forms)


@signed_in
@never_cache
@require_http_methods(METHODS)
def promote(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    services = services_of(environment)
    source = promoting.source_named(request, environment)
    pairs = promoting.pairs(environment, source)
    initial = {"services": [pair.here.arn for pair in pairs if pair.there]}
    form = PromoteForm(services=services, initial=initial, **page.posted(request))
    change = page.send(
        request, page.Requested[CountForm](form), lambda: _promotion(request, environment, source, form)
    )
    if change is not None:
        return redirect("changes:detail", change.uuid)
    context: dict[str, Any] = common_context(request, environment, Act.DEPLOY, services)
    context |= {
        "form": form,
        "source": source,
        "sources": promoting.sources(request, environment),
        "pairs": pairs,
    }
    return render(request, "deployments/promote.html", context, status=status_of(request))


def _promotion(
    request: HttpRequest, environment: Environment, source: Environment | None, form: PromoteForm
) -> Change:
    return actions.request_promotion(
        by=principal_of(request),
        environment=environment,
        # No other environment chosen: the action says so.
        source=source or environment,
        services=form.cleaned_data["services"],
        **form.how,
    )
