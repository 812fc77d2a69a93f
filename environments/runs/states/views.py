"""Pages of the state: versions, what differs between two, the lock, the audited download."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from environments.models import Environment
from environments.pages import environment_context, find_environment, person_of
from environments.permissions import refusal
from environments.runs import actions, comparing
from environments.runs.models import StateLock, StateVersion
from environments.runs.states import locks
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput
from portal.core.pagination import keyset_page

ON_A_PAGE = 50


@signed_in
@require_safe
def versions(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    found = StateVersion.objects.light().filter(environment=environment).select_related("change", "copy")
    page = keyset_page(found, ordering=("-number",), cursor=request.GET.get("cursor"), size=ON_A_PAGE)
    lock = StateLock.objects.filter(environment=environment).select_related("change").first()
    context = environment_context(request, environment, "state")
    roles = context["roles"]
    context |= {
        "page": page,
        "lock": lock,
        "is_own": bool(lock and lock.held_by_id == person_of(request).pk),
        "copies_wanted": bool(environment.account and environment.account.state_bucket),
        "proof": locks.proof_of(lock) if lock else None,
        "newest_number": found.aggregate(n=Max("number"))["n"],
        **{
            f"may_{name}": refusal(roles, f"state.{name}") is None
            for name in ("unlock", "read", "lock", "edit")
        },
    }
    return render(request, "runs/state_versions.html", context)


def _version(environment: Environment, text: str) -> StateVersion:
    if not text.isdecimal():
        raise Http404
    found = StateVersion.objects.filter(environment=environment, number=int(text)).first()
    if found is None:
        raise Http404
    return found


@signed_in
@never_cache
@require_safe
def compare(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    before = _version(environment, request.GET.get("a", ""))
    after = _version(environment, request.GET.get("b", ""))
    context = environment_context(request, environment, "state")
    context |= {
        "before": before,
        "after": after,
        **comparing.page_of(comparing.compared(before, after), request.GET),
    }
    return render(request, "runs/state_compare.html", context)


@signed_in
@require_POST
def unlock(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    try:
        actions.force_unlock(
            by=principal_of(request), environment=environment, reason=request.POST.get("comment", "")
        )
        messages.success(request, _("The lock is released."))
    except InvalidInput as wrong:
        messages.error(request, wrong.message)
    return redirect("runs:state_versions", tenant, slug)


@signed_in
@never_cache
@require_POST
def download(request: HttpRequest, tenant: str, slug: str, number: int) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    content = actions.download_state(by=principal_of(request), environment=environment, number=number)
    answer = HttpResponse(content, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{environment.key}-{number}.tfstate"'
    return answer
