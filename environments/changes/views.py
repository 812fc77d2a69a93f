"""Pages of changes: one change, lists, the acts, the log."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from environments.changes import actions, log, log_places, page, waiting
from environments.changes.abilities import abilities
from environments.changes.forms import ChangeFilter
from environments.changes.kinds import kind_of
from environments.changes.models import Change
from environments.pages import environment_context, find_environment, person_of
from environments.permissions import refusal
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput
from portal.core.pagination import keyset_page

ON_A_PAGE = 50
# Digits of a place in a log: what a database column can count.
FURTHEST = 18


def find_change(request: HttpRequest, uuid: UUID) -> Change:
    """The change, or 404 for those who may not see it."""
    found = Change.objects.visible_to(person_of(request)).for_lists().filter(uuid=uuid).first()
    if found is None or not principal_of(request).reaches(found.environment.key):
        raise Http404
    return found


@signed_in
@never_cache
@require_safe
def detail(request: HttpRequest, uuid: UUID) -> HttpResponse:
    change = find_change(request, uuid)
    return render(request, "changes/detail.html", page.context(request, change))


@signed_in
@never_cache
@require_safe
def live(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """What moves on the page. Asks for a reload of the rest when that is no longer true; 286 ends the polling."""
    change = find_change(request, uuid)
    outdated = request.GET.get("stamp", "") != page.stamp(change)
    context = {
        **(page.context(request, change) if outdated else page.moving(request, change)),
        "outdated": outdated,
    }
    over = change.is_final and not outdated and not kind_of(change).unfinished(change)
    status = 286 if over else 200
    return render(request, "changes/_live.html", context, status=status)


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, uuid: UUID, name: str) -> HttpResponse:
    """One act on a change: GET asks, POST does it."""
    change = find_change(request, uuid)
    asked = page.ACTS.get(name)
    if asked is None:
        raise Http404
    if request.method == "POST":
        said = page.label_of(change, asked)
        try:
            _do(request, change, name)
        except InvalidInput as wrong:
            return _ask(request, change, asked, error=wrong, status=400)
        messages.success(request, _("Done: %(what)s.") % {"what": said})
        return redirect("changes:detail", change.uuid)
    return _ask(request, change, asked)


def _ask(
    request: HttpRequest,
    change: Change,
    asked: page.Act,
    *,
    error: InvalidInput | None = None,
    status: int = 200,
) -> HttpResponse:
    title, effect = page.question(change, asked)
    ability = abilities(change, person_of(request))[f"can_{asked.name}"]
    context: dict[str, Any] = {
        **environment_context(request, change.environment, "changes"),
        "change": change,
        "act": asked,
        "label": page.label_of(change, asked),
        "title": title,
        "effect": effect,
        "ability": ability,
        "error": error,
        "typed_comment": request.POST.get("comment", ""),
    }
    return render(request, "changes/ask.html", context, status=status)


def _do(request: HttpRequest, change: Change, name: str) -> None:
    by, comment = principal_of(request), request.POST.get("comment", "").strip()
    digest = request.POST.get("digest", "")
    if name == "approve":
        actions.approve(by=by, change=change, digest=digest, comment=comment)
    elif name == "reject":
        actions.reject(by=by, change=change, comment=comment, digest=digest)
    elif name == "withdraw":
        actions.withdraw(by=by, change=change)
    elif name == "start":
        actions.start(by=by, change=change)
    elif name == "cancel":
        actions.cancel(by=by, change=change, reason=comment)
    else:
        actions.kill(by=by, change=change, reason=comment)


@signed_in
@require_POST
def comment(request: HttpRequest, uuid: UUID) -> HttpResponse:
    change = find_change(request, uuid)
    try:
        actions.ask(by=principal_of(request), change=change, text=request.POST.get("text", ""))
    except InvalidInput as wrong:
        messages.error(request, " ".join(wrong.errors.get("text", [wrong.message])))
    return redirect("changes:detail", change.uuid)


@signed_in
@never_cache
@require_safe
def log_part(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The log from a byte offset on, from a line on or near its end, as JSON."""
    change = find_change(request, uuid)
    after, line = _number(request, "after"), _number(request, "line")
    if line:
        after = log_places.offset_of(change, line)
    elif "tail" in request.GET:
        after = log_places.tail(change)
    return JsonResponse({**vars(log.read(change, after=after)), "lines": change.log_lines})


@signed_in
@never_cache
@require_safe
def log_search(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Lines of the log that hold a text, from a byte offset on, as JSON; `next` is where to search on."""
    change = find_change(request, uuid)
    found = log_places.search(change, request.GET.get("q", ""), after=_number(request, "after"))
    return JsonResponse(vars(found))


def _number(request: HttpRequest, name: str) -> int:
    """A place in a log; whatever is none is its beginning."""
    text = request.GET.get(name, "0")
    return int(text) if text.isdecimal() and len(text) <= FURTHEST else 0


@signed_in
@require_safe
def log_download(request: HttpRequest, uuid: UUID) -> StreamingHttpResponse:
    change = find_change(request, uuid)
    answer = StreamingHttpResponse(log.lines(change), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="change-{change.uuid}.log"'
    return answer


@signed_in
@require_safe
def change_list(request: HttpRequest) -> HttpResponse:
    form = ChangeFilter(request.GET, user=person_of(request))
    found = form.narrow(Change.objects.visible_to(person_of(request)).for_lists())
    rows = keyset_page(found, ordering=("-created_at",), cursor=request.GET.get("cursor"), size=ON_A_PAGE)
    context = {"page": rows, "filters": form, "filtering": form.is_narrowing, "section": "tenants"}
    waiting.mark(rows.rows)
    return render(request, "changes/list.html", context)


@signed_in
@require_safe
def of_environment(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    found = Change.objects.filter(environment=environment).for_lists()
    rows = keyset_page(found, ordering=("-created_at",), cursor=request.GET.get("cursor"), size=ON_A_PAGE)
    context = environment_context(request, environment, "changes")
    context |= {"page": rows, "request_denied": refusal(context["roles"], "change.request")}
    waiting.mark(rows.rows)
    return render(request, "changes/of_environment.html", context)
