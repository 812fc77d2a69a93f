"""The first page, the inbox and the search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from environments.changes.models import Change
from environments.models import Environment
from environments.overview import queries, searching
from environments.overview.forms import FleetFilter
from environments.pages import person_of
from environments.registry import registry
from portal.accounts.access import signed_in

NEEDS_ON_HOME = 5
OWN_SHOWN = 50


@signed_in
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What needs me, then every environment, worst first."""
    user = person_of(request)
    form = FleetFilter(request.GET, user=user)
    rows = queries.fleet(form.narrow(Environment.objects.visible_to(user).active()))
    state = form.chosen.get("state", "")
    shown = [row for row in rows if row.state == state] if state else rows
    needs = queries.needs_of(user)
    context = {
        "section": "overview",
        "needs": needs[:NEEDS_ON_HOME],
        "needs_more": len(needs) - NEEDS_ON_HOME,
        "columns": registry.sorted_columns(),
        "rows": shown[: queries.ROWS_SHOWN],
        "found": len(shown),
        "total": len(rows),
        "states": queries.by_state(rows),
        "state": state,
        "filters": form,
        "filtering": bool(form.chosen),
    }
    return render(request, "overview/home.html", context)


@signed_in
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Everything that waits for me, and what I asked for that waits for others."""
    user = person_of(request)
    needs = queries.needs_of(user)
    asked = {need.link for need in needs}
    own = Change.objects.visible_to(user).filter(requested_by=user).open().for_lists()
    context = {
        "section": "inbox",
        "needs": needs,
        "own": [change for change in own[:OWN_SHOWN] if searching.page_of(change) not in asked],
    }
    return render(request, "overview/inbox.html", context)


@signed_in
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Hits of all rooms, by kind."""
    text = request.GET.get("q", "").strip()[: searching.LONGEST]
    groups = searching.grouped(person_of(request), text)
    context = {
        "section": "none",
        "search_query": text,
        "too_short": len(text) < searching.SHORTEST,
        "shortest": searching.SHORTEST,
        "groups": groups,
        "total": sum(len(hits) for _kind, hits in groups),
    }
    return render(request, "overview/search.html", context)
