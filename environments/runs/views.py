"""Pages of runs: requesting one, what it would alter, the inventory and outputs it left."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from environments.changes import reviews
from environments.changes.views import find_change
from environments.pages import environment_context, find_environment, person_of
from environments.permissions import refusal
from environments.runs import actions, differences, proposal_page
from environments.runs.forms import ResourceFilter, RunForm
from environments.runs.leftovers import blocking
from environments.runs.models import Mode
from portal.accounts.access import signed_in
from portal.accounts.forms import show_error
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput
from portal.core.pagination import keyset_page

ON_A_PAGE = 100


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def request_run(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    asked = {name: request.GET[name] for name in ("mode", "definition", "reason") if name in request.GET}
    form, status = RunForm(environment=environment, initial={"mode": "apply", **asked}), 200
    if request.method == "POST":
        form, status = RunForm(request.POST, environment=environment), 400
        if form.is_valid():
            try:
                change = actions.request_run(
                    by=principal_of(request), environment=environment, **form.request_options
                )
                return redirect("changes:detail", change.uuid)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = environment_context(request, environment, "changes")
    context |= {"form": form, "denied": refusal(context["roles"], "change.request")}
    context["card"] = reviews.card(environment, person_of(request))
    context["blocker"] = blocking.blocker(environment, Mode.APPLY)
    return render(request, "runs/request.html", context, status=status)


@signed_in
@never_cache
@require_safe
def resource_changes(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """A page of the proposal's resources: a fragment for htmx, a page of its own without."""
    change = find_change(request, uuid)
    if change.proposal is None:
        return redirect("changes:detail", change.uuid)
    seen = differences.since_vote(change, person_of(request))
    rows = proposal_page.resources(
        change.proposal,
        after=request.GET.get("after", ""),
        action=request.GET.get("action", ""),
        text=request.GET.get("q", ""),
        new=seen.here if seen else frozenset(),
    )
    context = {**rows, "change": change}
    if request.headers.get("HX-Request"):
        return render(request, "runs/_resource_changes.html", context)
    context |= environment_context(request, change.environment, "changes")
    return render(request, "runs/resource_changes.html", context)


@signed_in
@require_safe
def resources(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    form = ResourceFilter(request.GET, environment=environment)
    chosen = form.cleaned_data if form.is_valid() else {}
    found = environment.resources.all()
    if chosen.get("q"):
        found = found.matching(chosen["q"])
    if chosen.get("type"):
        found = found.filter(type=chosen["type"])
    page = keyset_page(found, ordering=("address",), cursor=request.GET.get("cursor"), size=ON_A_PAGE)
    context = environment_context(request, environment, "resources")
    context |= {"page": page, "filters": form, "filtering": any(chosen.values())}
    return render(request, "runs/resources.html", context)


@signed_in
@never_cache
@require_safe
def outputs(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    context = environment_context(request, environment, "outputs")
    return render(request, "runs/outputs.html", {**context, "outputs": environment.outputs.all()})
