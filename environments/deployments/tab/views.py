"""The Services tab, a service's page, and the look that somebody asks for."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from environments.deployments.history import figures, rows
from environments.deployments.history.dora import DAYS
from environments.deployments.history.views import days_of
from environments.deployments.services import service_of
from environments.deployments.status import actions
from environments.deployments.tab import page, service_page
from environments.pages import environment_context, find_environment
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.core.errors import Conflict
from portal.core.pagination import keyset_page

ON_A_PAGE = 20


@signed_in
@require_safe
def services(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    context = environment_context(request, environment, "services")
    context |= page.context(environment, context["roles"])
    return render(request, "deployments/services.html", context)


@signed_in
@require_safe
def service(request: HttpRequest, tenant: str, slug: str, service: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    found = service_of(environment, service)
    if found is None:
        raise Http404
    parts, days = rows.of_service(environment, found.arn), days_of(request)
    history = keyset_page(
        rows.listed(parts), ordering=("-pk",), cursor=request.GET.get("cursor"), size=ON_A_PAGE
    )
    context = environment_context(request, environment, "services")
    context |= service_page.context(environment, found, context["roles"]) | {
        "page": history,
        "rows": rows.rows(history.rows),
        "figures": figures.figures(figures.measured(parts, days), days),
        "days": days,
        "all_days": DAYS,
    }
    return render(request, "deployments/service.html", context)


@signed_in
@require_POST
def look(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    try:
        actions.look_now(by=principal_of(request), environment=environment)
    except Conflict as nothing:
        messages.error(request, nothing.message)
    else:
        messages.success(request, _("A worker looks at it now; reload in a few seconds."))
    return redirect("deployments:services", tenant, slug)
