"""Pages of an emergency: starting a change without votes, and reviewing that afterwards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from environments.changes import breakglass, emergency_page, reviews
from environments.changes.abilities import abilities, barred_voters
from environments.changes.gates import evaluate
from environments.changes.kinds import kind_of
from environments.changes.models import Change, Review
from environments.changes.views import find_change
from environments.pages import environment_context, person_of
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput


def _context(request: HttpRequest, change: Change, ability: str, errors: Any = None) -> dict[str, Any]:
    return {
        **environment_context(request, change.environment, "changes"),
        "change": change,
        "ability": abilities(change, person_of(request))[ability],
        "errors": errors or {},
        "typed": request.POST,
    }


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def break_glass(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """GET asks for the reason, POST starts the change."""
    change, errors = find_change(request, uuid), {}
    if request.method == "POST":
        wanted = {name: request.POST.get(name, "") for name in ("digest", "reason", "confirm_name")}
        try:
            breakglass.break_glass(by=principal_of(request), change=change, **wanted)
            messages.warning(request, _("It starts without approval; everybody asked for a vote is told."))
            return redirect("changes:detail", change.uuid)
        except InvalidInput as wrong:
            errors = wrong.errors
    context = _context(request, change, "can_break_glass", errors)
    context["due_at"] = reviews.due_after(timezone.now())
    context["consequences"] = kind_of(change).consequences(change)
    context["skipped"] = emergency_page.skipped(evaluate(change, barred=barred_voters(change)))
    return render(request, "changes/break_glass.html", context, status=400 if errors else 200)


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """GET shows what was done and asks for the verdict, POST writes it."""
    change, errors = find_change(request, uuid), {}
    if request.method == "POST":
        wanted = {name: request.POST.get(name, "") for name in ("verdict", "comment")}
        try:
            breakglass.review(by=principal_of(request), change=change, **wanted)
            messages.success(request, _("Reviewed. What waited for it goes on."))
            return redirect("changes:detail", change.uuid)
        except InvalidInput as wrong:
            errors = wrong.errors
    context = _context(request, change, "can_review", errors)
    context |= {"verdicts": Review.Verdict.choices, **emergency_page.facts(change)}
    return render(request, "changes/review.html", context, status=400 if errors else 200)
