"""The page of one drift row, and the three things people can do about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from environments.models import Environment
from environments.pages import environment_context, find_environment
from environments.runs.drift import actions as drift_actions
from environments.runs.drift import choices as drift_choices
from environments.runs.drift import rows
from environments.runs.live.forms import AcceptForm, IgnoreForm, ReasonForm
from portal.accounts.access import signed_in
from portal.accounts.forms import show_error
from portal.accounts.principals import principal_of
from portal.core.errors import Conflict, InvalidInput, StaleState


def _forms(environment: Environment, row: Any, request: HttpRequest) -> dict[str, forms.Form]:
    """The three forms; the one that was posted holds what was typed."""
    act = request.POST.get("act", "")
    choices = [(one.path, one.label) for one in drift_choices.choices(environment, row) if not one.reason]
    return {
        "ignore": IgnoreForm(request.POST if act == "ignore" else None, row=row, prefix="ignore"),
        "revert": ReasonForm(request.POST if act == "revert" else None, needed=False, prefix="revert"),
        "accept": AcceptForm(request.POST if act == "accept" else None, paths=choices, prefix="accept"),
    }


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def drift_row(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    """One row of the last look, and the three things people can do about it."""
    environment = find_environment(request, tenant, slug)
    check, _judged = rows.of(environment)
    address = request.POST.get("address") or request.GET.get("address", "")
    row = rows.row_at(check, address)
    if row is None:
        raise Http404
    filled, status = _forms(environment, row, request), 200
    act = request.POST.get("act", "")
    if request.method == "POST":
        form, status = filled.get(act, ReasonForm()), 400
        if form.is_valid():
            try:
                return _done(request, environment, address, act, form.cleaned_data)
            except (InvalidInput, Conflict, StaleState) as refused:
                show_error(form, refused)
    context = environment_context(request, environment, "drift") | _row_context(environment, row, filled)
    return render(request, "runs/drift_row.html", context, status=status)


def _row_context(environment: Environment, row: Any, filled: dict[str, forms.Form]) -> dict[str, Any]:
    ignores = rows.active_ignores().filter(environment=environment, address=row["address"])
    every = drift_choices.choices(environment, row)
    return {
        "row": row,
        "forms": filled,
        "ignores": ignores,
        "acceptable": [one for one in every if not one.reason],
        "refused": [one for one in every if one.reason],
    }


def _done(
    request: HttpRequest, environment: Environment, address: str, act: str, data: dict[str, Any]
) -> HttpResponse:
    by, slugs = principal_of(request), (environment.tenant.slug, environment.slug)
    if act == "revert":
        change = drift_actions.revert(by=by, environment=environment, address=address, reason=data["reason"])
        return redirect("changes:detail", change.uuid)
    if act == "accept":
        made = drift_actions.accept(
            by=by, environment=environment, address=address, path=data["path"], note=data["note"]
        )
        messages.success(request, _("Definition %(n)d is saved; review it and plan it.") % {"n": made.number})
        return redirect("blueprints:definition", *slugs, made.number)
    drift_actions.ignore(
        by=by,
        environment=environment,
        address=address,
        path=data["path"],
        until=data["until"],
        reason=data["reason"],
    )
    messages.success(request, _("Ignored until then; it comes back by itself."))
    return redirect("runs:drift", *slugs)
