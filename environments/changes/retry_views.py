"""Trying again what did not come through, and what differs between two proposals."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from environments.changes import comparing, retries
from environments.changes.abilities import abilities
from environments.changes.models import Vote
from environments.changes.views import find_change
from environments.pages import environment_context, person_of
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """GET says what would happen to the votes, POST asks for the change again."""
    change = find_change(request, uuid)
    if request.method == "POST":
        again = retries.retry(by=principal_of(request), change=change, reason=request.POST.get("reason", ""))
        messages.success(request, _("It is tried again: this is the new change."))
        return redirect("changes:detail", again.uuid)
    context = {
        **environment_context(request, change.environment, "changes"),
        "change": change,
        "ability": abilities(change, person_of(request))["can_retry"],
        "votes": Vote.objects.counting_for(change)
        .filter(decision=Vote.Decision.APPROVE)
        .select_related("user"),
    }
    return render(request, "changes/retry.html", context)


@signed_in
@never_cache
@require_safe
def differences(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """What differs from an earlier proposal: a fragment for htmx, a page of its own without."""
    change = find_change(request, uuid)
    context = {"change": change, **comparing.context(change, person_of(request), request.GET.get("from", ""))}
    if request.headers.get("HX-Request"):
        return render(request, "changes/_differences.html", context)
    context |= environment_context(request, change.environment, "changes")
    return render(request, "changes/differences.html", context)
