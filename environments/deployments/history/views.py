"""The page of an environment's deployments, all services together."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from environments.deployments.history import figures, rows
from environments.deployments.history.dora import DAYS
from environments.pages import environment_context, find_environment
from portal.accounts.access import signed_in
from portal.core.pagination import keyset_page

ON_A_PAGE = 30


def days_of(request: HttpRequest) -> int:
    """The stretch of time asked for; the first one by default."""
    text = request.GET.get("days", "")
    return next((days for days in DAYS if str(days) == text), DAYS[0])


@signed_in
@require_safe
def history(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    parts = rows.of_environment(environment)
    found = keyset_page(
        rows.listed(parts), ordering=("-pk",), cursor=request.GET.get("cursor"), size=ON_A_PAGE
    )
    days = days_of(request)
    context = environment_context(request, environment, "services") | {
        "page": found,
        "rows": rows.rows(found.rows),
        "figures": figures.figures(figures.measured(parts, days), days),
        "days": days,
        "all_days": DAYS,
    }
    return render(request, "deployments/history.html", context)
