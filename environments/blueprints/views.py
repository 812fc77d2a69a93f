"""Pages of blueprints and definitions."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from environments.blueprints import actions, markdown, querysets, shown
from environments.blueprints.comparing import compare as compared
from environments.blueprints.forms import DefinitionForm
from environments.blueprints.snapshots import current_snapshot, offers, snapshot_of
from environments.models import Definition, Environment
from environments.pages import environment_context, find_environment, person_of
from environments.permissions import refusal, require
from environments.registry import registry
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.core.errors import GatehouseError, InvalidInput, NotFound, StaleState
from portal.core.pagination import keyset_page

ON_A_PAGE = 50


@signed_in
@require_safe
def blueprint_list(request: HttpRequest) -> HttpResponse:
    users = querysets.users_per_blueprint(person_of(request))
    rows = [{"offer": offer, "used": users.get(offer.slug, 0)} for offer in offers()]
    return render(request, "blueprints/list.html", {"section": "blueprints", "rows": rows})


@signed_in
@require_safe
def blueprint_detail(request: HttpRequest, slug: str) -> HttpResponse:
    snapshot = current_snapshot(slug)
    context = {
        "section": "blueprints",
        "snapshot": snapshot,
        "readme": markdown.render(shown.without_title(snapshot.readme)),
        "variables": list(shown.variable_rows(snapshot.schema)),
        "environments": querysets.environments_using(person_of(request), slug),
    }
    return render(request, "blueprints/detail.html", context)


def _frame(request: HttpRequest, environment: Environment, title: str = "") -> dict[str, Any]:
    """What every page of one environment hands to the frame; `title` is the last step of the path."""
    context = environment_context(request, environment, "definition")
    if title:
        every = reverse("blueprints:definitions", args=[environment.tenant.slug, environment.slug])
        context["crumbs"] += [{"label": _("Definitions"), "url": every}, {"label": title, "url": ""}]
    return context


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def define(request: HttpRequest, tenant: str, environment: str) -> HttpResponse:
    """The form of the next definition; "Save and plan" goes on to the plan's change."""
    place, by = find_environment(request, tenant, environment), principal_of(request)
    require(by, place, "definition.create")
    snapshot = actions.snapshot_for(place)
    data = request.POST if request.method == "POST" else None
    form = DefinitionForm(place, snapshot, person_of(request), data)
    status = 200
    if data is not None:
        status = 400
        if form.is_valid():
            try:
                return _saved(request, form)
            except (StaleState, InvalidInput) as error:
                form.refused(error)
                status = error.status
    return render(request, "blueprints/define.html", _form_context(request, form), status=status)


def _form_context(request: HttpRequest, form: DefinitionForm) -> dict[str, Any]:
    newest = form.latest.number if form.latest else 0
    return {
        **_frame(request, form.environment, _("Define")),
        "form": form,
        "newest": newest,
        "blueprint_moved": form.latest is not None and form.latest.snapshot != form.snapshot.digest,
        "pending": querysets.pending_on_older(form.environment, newest + 1),
        "can_plan": registry.plan is not None,
    }


def _saved(request: HttpRequest, form: DefinitionForm) -> HttpResponse:
    """Store what the form holds, unless it only repeats the newest definition, and go where it leads."""
    place, by = form.environment, principal_of(request)
    if form.unchanged() and form.latest is not None and form.base == form.latest.number:
        made = form.latest
        messages.info(request, _("Nothing was changed: definition %(n)d stands.") % {"n": made.number})
    else:
        made = actions.define(
            by=by,
            environment=place,
            variables=form.variables,
            sensitive=form.sensitive,
            note=form.note,
            base=form.base,
        )
        messages.success(request, _("Definition %(n)d is saved.") % {"n": made.number})
    form.saved()
    if request.POST.get("action") == "plan" and registry.plan is not None:
        try:
            return redirect(registry.plan(by, place, made))
        except GatehouseError as error:
            messages.error(request, f"{error.message} {error.hint}".strip())
    return redirect(reverse("blueprints:definition", args=[place.tenant.slug, place.slug, made.number]))


@signed_in
@require_safe
def definitions(request: HttpRequest, tenant: str, environment: str) -> HttpResponse:
    place = find_environment(request, tenant, environment)
    page = keyset_page(
        querysets.definitions_of(place),
        ordering=("-number",),
        cursor=request.GET.get("cursor"),
        size=ON_A_PAGE,
    )
    context = {**_frame(request, place), "page": page}
    context["reason"] = refusal(context["roles"], "definition.create")
    return render(request, "blueprints/definitions.html", context)


@signed_in
@require_safe
def definition(request: HttpRequest, tenant: str, environment: str, number: int) -> HttpResponse:
    place = find_environment(request, tenant, environment)
    one = get_object_or_404(place.definitions.select_related("author", "environment__tenant"), number=number)
    previous = place.definitions.filter(number__lt=number).first()
    newest = place.definitions.values_list("number", flat=True).first() or number
    context = {
        **_frame(request, place, _("Definition %(n)d") % {"n": number}),
        "definition": one,
        "snapshot": snapshot_of(one.snapshot),
        "rows": shown.value_rows(one),
        "previous": previous,
        "changes": compared(previous, one) if previous else None,
        "newest": newest,
        "pending": querysets.pending_on_older(place, newest),
    }
    context["reason"] = refusal(context["roles"], "definition.create")
    return render(request, "blueprints/definition.html", context)


@signed_in
@require_safe
def compare(request: HttpRequest, tenant: str, environment: str) -> HttpResponse:
    """?a=3&b=5 compares two numbers; ?with=tenant.environment the newest (or &b=) of another environment."""
    place = find_environment(request, tenant, environment)
    user = person_of(request)
    asked = shown.Question.from_query(request.GET)
    other = place
    if asked.other and asked.other != place.key:
        other = get_object_or_404(
            Environment.objects.visible_to(user).select_related("tenant").by_key(asked.other)
        )
    pair = _pair(place, other, asked)
    context = {
        **_frame(request, place, _("Compare")),
        "asked": asked,
        "other": other,
        "pair": pair,
        "comparison": compared(*pair) if pair else None,
        "choices": shown.comparable(user, place),
        "numbers": list(place.definitions.values_list("number", flat=True)[:200]),
        "other_numbers": list(other.definitions.values_list("number", flat=True)[:200]),
    }
    return render(request, "blueprints/compare.html", context)


def _pair(
    place: Environment, other: Environment, asked: shown.Question
) -> tuple[Definition, Definition] | None:
    """The two definitions asked for; without numbers the newest, or the newest two of one environment."""
    left, right = _numbered(place, asked.a), _numbered(other, asked.b, mild=other.pk != place.pk)
    if right is not None and left is not None and left.pk == right.pk and not (asked.a and asked.b):
        left = place.definitions.filter(number__lt=right.number).first()
    return (left, right) if left and right else None


def _numbered(environment: Environment, number: int | None, *, mild: bool = False) -> Definition | None:
    """The definition of that number, the newest without one. `mild`: the newest instead of NotFound, for
    the form still carries the other environment's number when another is chosen."""
    found = environment.definitions.select_related("environment__tenant")
    one = found.filter(number=number).first() if number else None
    if number is None or (one is None and mild):
        return found.first()
    if one is None:
        raise NotFound(_("%(place)s has no definition %(n)d.") % {"place": environment, "n": number})
    return one
