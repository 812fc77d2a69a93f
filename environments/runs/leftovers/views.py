"""Pages about what an interrupted run left: import all of it, or decide about one resource."""

from __future__ import annotations

from itertools import chain
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from environments.changes.models import Change
from environments.changes.views import find_change
from environments.pages import environment_context
from environments.permissions import refusal
from environments.runs.leftovers import actions
from environments.runs.leftovers.import_ids import form_of
from environments.runs.models import Leftover
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput


@signed_in
@require_POST
def import_all(request: HttpRequest, uuid: UUID) -> HttpResponse:
    change = find_change(request, uuid)
    count = actions.import_all(by=principal_of(request), change=change)
    text = ngettext("The next plan imports %(n)s resource.", "The next plan imports %(n)s resources.", count)
    messages.success(request, text % {"n": count})
    return redirect(_page_of(change))


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leftover(request: HttpRequest, uuid: UUID, pk: int, act: str) -> HttpResponse:
    """One decision: GET asks, POST does it."""
    change = find_change(request, uuid)
    row = Leftover.objects.filter(change=change, pk=pk).select_related("change").first()
    if row is None or act not in ("import", "dismiss"):
        raise Http404
    if request.method == "POST":
        try:
            _do(request, row, act)
        except InvalidInput as wrong:
            return _ask(request, row, act, error=" ".join(chain(*wrong.errors.values())))
        return redirect(_page_of(change))
    return _ask(request, row, act)


def _do(request: HttpRequest, row: Leftover, act: str) -> None:
    by, names = principal_of(request), {"address": row.address}
    if act == "import":
        actions.import_leftover(by=by, leftover=row, resource_id=request.POST.get("resource_id", ""))
        messages.success(request, _("The next plan imports %(address)s.") % names)
    else:
        actions.dismiss(by=by, leftover=row, reason=request.POST.get("reason", ""))
        messages.success(request, _("%(address)s is dismissed.") % names)


def _page_of(change: Change) -> str:
    return reverse("changes:detail", args=[change.uuid]) + "#leftovers"


def _ask(request: HttpRequest, row: Leftover, act: str, *, error: str = "") -> HttpResponse:
    context: dict[str, Any] = environment_context(request, row.change.environment, "changes")
    denied = refusal(context["roles"], "leftover.settle") or _settled(row)
    titles = {"import": _("Import %(address)s?"), "dismiss": _("Dismiss %(address)s?")}
    typed = request.POST.get("resource_id" if act == "import" else "reason")
    context |= {
        "change": row.change,
        "leftover": row,
        "act": act,
        "title": titles[act] % {"address": row.address},
        "denied": denied,
        "error": error,
        "typed": (row.resource_id if act == "import" else "") if typed is None else typed,
        "form_hint": form_of(row.type),
        "back": _page_of(row.change),
    }
    return render(request, "runs/leftover.html", context, status=400 if error else 200)


def _settled(row: Leftover) -> str:
    if row.state in (Leftover.State.OPEN, Leftover.State.IMPORTING):
        return ""
    return _("It is settled already: %(state)s (%(who)s).") % {
        "state": row.get_state_display().lower(),
        "who": row.settled_by,
    }
