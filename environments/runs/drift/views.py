"""Pages of the Drift tab: both looks, and what to do about one drift row."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from environments.pages import environment_context, find_environment
from environments.runs import actions
from environments.runs.drift import actions as drift_actions
from environments.runs.drift import page
from environments.runs.drift.checks import last_applied
from environments.runs.live import actions as live_actions
from environments.runs.models import DriftIgnore
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.core.errors import Conflict


@signed_in
@require_safe
def drift_tab(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    context = environment_context(request, environment, "drift")
    context |= page.context(environment, context["roles"])
    return render(request, "runs/drift.html", context)


@signed_in
@require_POST
def check_drift(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    """Both looks: what Terraform sees, and what it does not."""
    environment, by = find_environment(request, tenant, slug), principal_of(request)
    actions.check_drift(by=by, environment=environment)
    if live_actions.can_look(environment) and last_applied(environment):
        live_actions.check_live(by=by, environment=environment)
    messages.success(request, _("A worker looks at it now; reload in a minute."))
    return redirect("runs:drift", tenant, slug)


@signed_in
@require_POST
def end_ignore(request: HttpRequest, tenant: str, slug: str, pk: int) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    ignored = get_object_or_404(
        DriftIgnore.objects.select_related("environment__tenant"), pk=pk, environment=environment
    )
    try:
        drift_actions.end_ignore(by=principal_of(request), ignored=ignored)
    except Conflict as over:
        messages.error(request, over.message)
    else:
        messages.success(request, _("It counts again."))
    return redirect("runs:drift", tenant, slug)
