"""The people administration: for portal administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts import actions
from portal.accounts.access import portal_admin
from portal.accounts.forms import NewPersonForm, PersonForm, show_error
from portal.accounts.hooks import hooks
from portal.accounts.models import ApiToken, User
from portal.accounts.principals import Principal, principal_of
from portal.core.clock import local_now
from portal.core.errors import GatehouseError
from portal.core.pagination import keyset_page

PEOPLE_ON_A_PAGE = 50
TOKENS_SHOWN = 20


@portal_admin
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    query, show = request.GET.get("q", "").strip(), request.GET.get("show", "active")
    found = User.objects.matching(query)
    if show != "all":
        found = found.filter(is_active=show != "left")
    page = keyset_page(found, ordering=("username",), cursor=request.GET.get("cursor"), size=PEOPLE_ON_A_PAGE)
    summaries = hooks.summaries(page.rows)
    rows = [(person, summaries.get(person.pk, "")) for person in page.rows]
    return render(request, "accounts/people.html", {"page": page, "rows": rows, "query": query, "show": show})


@portal_admin
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_person(request: HttpRequest) -> HttpResponse:
    form, status = NewPersonForm(), 200
    if request.method == "POST":
        form, status = NewPersonForm(request.POST), 400
        if form.is_valid():
            plain = actions.temporary_password()
            try:
                person = actions.create_person(by=principal_of(request), password=plain, **form.cleaned_data)
                return _show_password(request, person, plain, 201)
            except GatehouseError as error:
                show_error(form, error)
                status = error.status
    return render(request, "accounts/new_person.html", {"form": form}, status=status)


@portal_admin
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, username: str) -> HttpResponse:
    subject = get_object_or_404(User, username=username)
    form, status = PersonForm(initial={name: getattr(subject, name) for name in PersonForm.base_fields}), 200
    if request.method == "POST":
        form, status = PersonForm(request.POST), 400
        if form.is_valid():
            try:
                actions.update_person(by=principal_of(request), person=subject, **form.cleaned_data)
                messages.success(request, _("%(name)s is saved.") % {"name": subject})
                return redirect("accounts:person", username)
            except GatehouseError as error:
                show_error(form, error)
                status = error.status
    return render(request, "accounts/person.html", _person_context(request, subject, form), status=status)


@portal_admin
@require_POST
def deactivate(request: HttpRequest, username: str) -> HttpResponse:
    done = _("%(name)s is deactivated: sessions and tokens have ended.")
    return _act(request, username, actions.deactivate_person, done)


@portal_admin
@require_POST
def reactivate(request: HttpRequest, username: str) -> HttpResponse:
    done = _("%(name)s may sign in again. Tokens stay ended.")
    return _act(request, username, actions.reactivate_person, done)


@portal_admin
@never_cache
@require_POST
def reset_password(request: HttpRequest, username: str) -> HttpResponse:
    subject = get_object_or_404(User, username=username)
    plain = actions.reset_password(by=principal_of(request), person=subject)
    return _show_password(request, subject, plain, 200)


def _act(request: HttpRequest, username: str, action: Callable[..., User], done: str) -> HttpResponse:
    subject = get_object_or_404(User, username=username)
    by: Principal = principal_of(request)
    action(by=by, person=subject)
    messages.success(request, done % {"name": subject})
    return redirect("accounts:person", username)


def _show_password(request: HttpRequest, person: User, plain: str, status: int) -> HttpResponse:
    """Rendered instead of redirected to: the temporary password is kept nowhere."""
    context = {"person": person, "plain": plain}
    return render(request, "accounts/temporary_password.html", context, status=status)


def _person_context(request: HttpRequest, person: User, form: PersonForm) -> dict[str, Any]:
    panels = [(panel.template, panel.context(request, person)) for panel in hooks.sorted_panels()]
    live = ApiToken.objects.of(person).live_rows(local_now()).select_related("user")
    return {
        "person": person,
        "form": form,
        "panels": panels,
        "tokens": live[:TOKENS_SHOWN],
        "now": local_now(),
        "is_oneself": person == request.user,
    }
