"""One environment: its overview, and the acts on it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from environments import actions
from environments.abilities import abilities
from environments.forms import CloneForm, EnvironmentForm, HoldForm, NewEnvironmentForm
from environments.models import Environment
from environments.next_step import next_step
from environments.pages import environment_context, find_environment, find_tenant, person_of, tenant_context
from environments.permissions import refusal
from environments.registry import registry
from portal.accounts.access import signed_in
from portal.accounts.forms import show_error
from portal.accounts.principals import principal_of
from portal.core.errors import Conflict, InvalidInput


@signed_in
@require_safe
def detail(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment, user = find_environment(request, tenant, slug), person_of(request)
    context = environment_context(request, environment, "overview")
    definition, built = environment.latest_definition, environment.resources.exists()
    able = abilities(environment, user, context["roles"], context["hold"])
    verdicts = [(column.title, column.cells([environment])) for column in registry.sorted_columns()]
    context |= {
        "chips": [(title, cells.get(environment.pk)) for title, cells in verdicts],
        "definition": definition,
        "cards": [(card.template, card.context(environment, user)) for card in registry.sorted_cards()],
        "hold_form": HoldForm(),
        "able": able,
        "built": built,
        "step": next_step(environment, definition, able, built=built),
    }
    return render(request, "environments/detail.html", context)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, tenant: str) -> HttpResponse:
    found = find_tenant(request, tenant)
    form, status = NewEnvironmentForm(request.POST or None, accounts=found.accounts.all()), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = actions.create_environment(by=principal_of(request), tenant=found, **form.cleaned_data)
                return redirect("environments:detail", found.slug, made.slug)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = tenant_context(request, found)
    context |= {"form": form, "title": _("Describe an environment")}
    context["denied"] = refusal(context["roles"], "environment.create")
    return render(request, "environments/form.html", context, status=status)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    form = EnvironmentForm(
        request.POST or None, instance=environment, accounts=environment.tenant.accounts.all()
    )
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            fresh = Environment.objects.select_related("tenant", "account").get(pk=environment.pk)
            try:
                actions.update_environment(by=principal_of(request), environment=fresh, **form.cleaned_data)
                return redirect("environments:detail", tenant, slug)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = environment_context(request, find_environment(request, tenant, slug), "")
    context |= {"form": form, "title": _("Edit the description")}
    context["denied"] = refusal(context["roles"], "environment.update")
    return render(request, "environments/form.html", context, status=status)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def clone(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    source = find_environment(request, tenant, slug)
    initial: dict[str, Any] = {"region": source.region, "account": source.account_id}
    form = CloneForm(request.POST or None, initial=initial, accounts=source.tenant.accounts.all())
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = actions.clone_environment(by=principal_of(request), source=source, **form.cleaned_data)
                return redirect("environments:detail", tenant, made.slug)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = environment_context(request, source, "")
    context |= {
        "form": form,
        "title": _("Clone %(source)s") % {"source": source},
        "note": _(
            "The newest definition is copied, except its sensitive values: a clone has passwords of its own."
        ),
        "denied": refusal(context["roles"], "environment.clone"),
    }
    return render(request, "environments/form.html", context, status=status)


@signed_in
@require_POST
def hold(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    form = HoldForm(request.POST)
    if form.is_valid():
        try:
            actions.place_hold(by=principal_of(request), environment=environment, **form.cleaned_data)
            messages.success(request, _("On hold: nothing new starts here."))
        except InvalidInput as wrong:
            messages.error(request, wrong.message)
    else:
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
    return redirect("environments:detail", tenant, slug)


@signed_in
@require_POST
def release(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    standing = environment.active_hold
    if standing is None:
        raise Conflict(_("It is not on hold."))
    actions.release_hold(by=principal_of(request), hold=standing)
    messages.success(request, _("The hold is lifted."))
    return redirect("environments:detail", tenant, slug)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def retire(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    error, status = "", 200
    if request.method == "POST":
        try:
            name = request.POST.get("confirm_name", "")
            actions.retire_environment(by=principal_of(request), environment=environment, confirm_name=name)
            messages.success(request, _("Retired. Its history stays."))
            return redirect("environments:detail", tenant, slug)
        except (InvalidInput, Conflict) as refused:
            error, status = refused.message, refused.status
    context = environment_context(request, environment, "")
    context |= {
        "error": error,
        "blockers": [text for ask in registry.retire_blockers for text in ask(environment)],
        "denied": refusal(context["roles"], "environment.retire"),
    }
    return render(request, "environments/retire.html", context, status=status)
