"""The people administration: for portal administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts import actions
from portal.accounts.access import portal_admin
from portal.accounts.forms import NewPersonForm, PeopleFilter, PersonForm, show_error
from portal.accounts.hooks import hooks
from portal.accounts.models import ApiToken, User
from portal.accounts.principals import principal_of
from portal.core.clock import local_now
from portal.core.errors import GatehouseError
from portal.core.pagination import keyset_page

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PLACE = {"section": "settings", "tab": "people"}
PEOPLE_ON_A_PAGE = 50
TOKENS_SHOWN = 20
DEACTIVATION = gettext_lazy(
    "They are signed out everywhere at once, and their API tokens and open votes end. Changes they "
    "requested stay, for others to decide on, and what they did stays in the activity log."
)
RESET = gettext_lazy(
    "They are signed out everywhere. You see a temporary password once and hand it over; at the next "
    "sign-in they choose their own."
)


@portal_admin
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    filters = PeopleFilter(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    found = User.objects.matching(chosen.get("q", ""))
    if chosen.get("show") != "all":
        found = found.filter(is_active=chosen.get("show") != "left")
    page = keyset_page(found, ordering=("username",), cursor=request.GET.get("cursor"), size=PEOPLE_ON_A_PAGE)
    summaries = hooks.summaries(page.rows)
    rows = [(person, summaries.get(person.pk, "")) for person in page.rows]
    context = {"page": page, "rows": rows, "filters": filters, "filtering": any(chosen.values())}
    return render(request, "accounts/people.html", {**PLACE, **context})


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
    return render(request, "accounts/new_person.html", {**PLACE, "form": form}, status=status)


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
@require_http_methods(["GET", "HEAD", "POST"])
def deactivate(request: HttpRequest, username: str) -> HttpResponse:
    subject = get_object_or_404(User, username=username)
    if request.method != "POST":
        return _ask(request, subject, _("Deactivate %(name)s?"), _("Deactivate"), DEACTIVATION)
    actions.deactivate_person(by=principal_of(request), person=subject)
    messages.success(request, _("%(name)s is deactivated: sessions and tokens ended.") % {"name": subject})
    return redirect("accounts:person", username)


@portal_admin
@require_POST
def reactivate(request: HttpRequest, username: str) -> HttpResponse:
    subject = get_object_or_404(User, username=username)
    actions.reactivate_person(by=principal_of(request), person=subject)
    messages.success(request, _("%(name)s may sign in again. Tokens stay ended.") % {"name": subject})
    return redirect("accounts:person", username)


@portal_admin
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset_password(request: HttpRequest, username: str) -> HttpResponse:
    subject = get_object_or_404(User, username=username)
    if request.method != "POST":
        return _ask(request, subject, _("Reset the password of %(name)s?"), _("Reset password"), RESET)
    plain = actions.reset_password(by=principal_of(request), person=subject)
    return _show_password(request, subject, plain, 200)


def _ask(request: HttpRequest, person: User, title: str, label: str, effect: _StrPromise) -> HttpResponse:
    """The confirm page: what the dialog of the person's page shows, at an address of its own."""
    context = {
        **PLACE,
        "person": person,
        "title": title % {"name": person},
        "content": format_html("<p>{}</p>", effect),
        "action": request.path,
        "label": label,
        "variant": "danger",
        "back_url": reverse("accounts:person", args=[person.username]),
    }
    return render(request, "accounts/confirm.html", context)


def _show_password(request: HttpRequest, person: User, plain: str, status: int) -> HttpResponse:
    """Rendered instead of redirected to: the temporary password is kept nowhere."""
    context = {**PLACE, "person": person, "plain": plain}
    return render(request, "accounts/temporary_password.html", context, status=status)


def _person_context(request: HttpRequest, person: User, form: PersonForm) -> dict[str, Any]:
    panels = [(panel.template, panel.context(request, person)) for panel in hooks.sorted_panels()]
    live = ApiToken.objects.of(person).live_rows(local_now()).select_related("user")
    return {
        **PLACE,
        "person": person,
        "form": form,
        "panels": panels,
        "tokens": live[:TOKENS_SHOWN],
        "now": local_now(),
        "is_oneself": person == request.user,
        "deactivation": DEACTIVATION,
        "reset": RESET,
    }
