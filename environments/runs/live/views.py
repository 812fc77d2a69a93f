"""The page of one extra: what it is, who made it, and the three things people can do about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from environments.models import Environment
from environments.pages import environment_context, find_environment
from environments.permissions import refusal
from environments.runs.drift import page
from environments.runs.live import actions as live_actions
from environments.runs.live import deeds, hcl
from environments.runs.live.forms import ReasonForm, UntilForm
from environments.runs.live.risk import CRITICAL
from environments.runs.models import LiveExtra
from portal.accounts.access import signed_in
from portal.accounts.forms import show_error
from portal.accounts.principals import principal_of
from portal.core.errors import Conflict, InvalidInput, StaleState


def _forms(request: HttpRequest) -> dict[str, forms.Form]:
    act = request.POST.get("act", "")
    return {
        "remove": ReasonForm(request.POST if act == "remove" else None, needed=False, prefix="remove"),
        "allow": UntilForm(request.POST if act == "allow" else None, prefix="allow"),
        "adopt": ReasonForm(request.POST if act == "adopt" else None, prefix="adopt"),
        "reopen": forms.Form(request.POST if act == "reopen" else None),
    }


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def extra_page(request: HttpRequest, tenant: str, slug: str, pk: int) -> HttpResponse:
    """The extra; a POST with `act` does one of remove, allow, adopt, reopen."""
    environment = find_environment(request, tenant, slug)
    row = get_object_or_404(
        LiveExtra.objects.select_related("environment__tenant"), pk=pk, environment=environment
    )
    filled, status = _forms(request), 200
    if request.method == "POST":
        act = request.POST.get("act", "")
        form, status = filled.get(act, filled["reopen"]), 400
        if form.is_valid():
            try:
                return _done(request, row, act, form.cleaned_data)
            except (InvalidInput, Conflict, StaleState) as refused:
                show_error(form, refused)
    context = environment_context(request, environment, "drift")
    context |= _context(environment, row, context["roles"]) | {"forms": filled}
    return render(request, "runs/extra.html", context, status=status)


def _context(environment: Environment, row: LiveExtra, roles: frozenset[str]) -> dict[str, Any]:
    (shown,) = page.shown([row])
    verb = "extra.settle_high_risk" if row.risk >= CRITICAL else "extra.settle"
    return {
        "extra": shown,
        "row": row,
        "deed": deeds.deed(row),
        "barrier": deeds.barrier(row),
        "hcl": hcl.snippet(row),
        "may_not_settle": refusal(roles, verb),
        "may_not_remove": refusal(roles, "change.request"),
        "stands": row.gone_at is None,
        "settled": bool(row.adopted_at or row.allowed_until),
    }


def _done(request: HttpRequest, row: LiveExtra, act: str, data: dict[str, Any]) -> HttpResponse:
    by, environment = principal_of(request), row.environment
    if act == "remove":
        change = live_actions.remove(by=by, extra=row, reason=data["reason"])
        return redirect("changes:detail", change.uuid)
    if act == "allow":
        live_actions.allow(by=by, extra=row, until=data["until"], reason=data["reason"])
        messages.success(request, _("Allowed until then; it comes back by itself."))
    elif act == "adopt":
        live_actions.adopt(by=by, extra=row, reason=data["reason"])
        messages.success(
            request, _("Adopted. Put the lines below into the blueprint, so that Terraform owns it.")
        )
        return redirect("runs:extra", environment.tenant.slug, environment.slug, row.pk)
    elif act == "reopen":
        live_actions.reopen(by=by, extra=row)
        messages.success(request, _("It counts again."))
    else:
        raise Conflict(_("Choose one of: remove, allow, adopt."))
    return redirect("runs:drift", environment.tenant.slug, environment.slug)
