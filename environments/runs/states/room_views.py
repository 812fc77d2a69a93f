"""Pages of the state room's acts: roll back, import, lock, release, and the terraform command line."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from environments.pages import environment_context, find_environment
from environments.permissions import refusal
from environments.runs.states import actions as state_actions
from environments.runs.states import lock_actions, token_actions
from environments.runs.states.forms import ImportForm, RollbackForm, StateTokenForm
from environments.runs.states.uploads import keep_in_memory
from portal.accounts.access import signed_in
from portal.accounts.forms import show_error
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rollback(request: HttpRequest, tenant: str, slug: str, number: int) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    version = environment.state_versions.defer("content").filter(number=number).first()
    if version is None:
        raise Http404
    form, status = RollbackForm(), 200
    if request.method == "POST":
        form, status = RollbackForm(request.POST), 400
        if form.is_valid():
            change = state_actions.request_rollback(
                by=principal_of(request),
                environment=environment,
                number=number,
                reason=form.cleaned_data["reason"],
            )
            return redirect("changes:detail", change.uuid)
    context = environment_context(request, environment, "state")
    context |= {"form": form, "version": version, "denied": refusal(context["roles"], "state.edit")}
    return render(request, "runs/state_rollback.html", context, status=status)


@csrf_exempt
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def import_state(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    """The CSRF token is checked too, once the upload is bound to stay in memory: reading it reads the body."""
    keep_in_memory(request)
    return _import_state(request, tenant, slug)


import_state.reads_upload = True  # type: ignore[attr-defined]


@csrf_protect
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def _import_state(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    form, status = ImportForm(), 200
    if request.method == "POST":
        form, status = ImportForm(request.POST, request.FILES), 400
        if form.is_valid():
            try:
                by = principal_of(request)
                change = state_actions.request_import(by=by, environment=environment, **form.wanted())
                return redirect("changes:detail", change.uuid)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = environment_context(request, environment, "state")
    context |= {"form": form, "denied": refusal(context["roles"], "state.edit")}
    return render(request, "runs/state_import.html", context, status=status)


@signed_in
@require_POST
def lock(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    try:
        reason = request.POST.get("comment", "")
        lock_actions.lock_state(by=principal_of(request), environment=environment, reason=reason)
        messages.success(request, _("The state is locked in your name."))
    except InvalidInput as wrong:
        messages.error(request, wrong.message)
    return redirect("runs:state_versions", tenant, slug)


@signed_in
@require_POST
def release(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    """One's own lock, or that of a run whose Terraform is proven dead."""
    environment = find_environment(request, tenant, slug)
    act = lock_actions.release_by_proof if "proof" in request.POST else lock_actions.unlock_state
    act(by=principal_of(request), environment=environment)
    messages.success(request, _("The lock is released."))
    return redirect("runs:state_versions", tenant, slug)


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def command_line(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    """How to use the plain terraform; for admins, handing out a token that writes: shown in this answer only."""
    environment = find_environment(request, tenant, slug)
    form, plain, status = StateTokenForm(environment=environment), "", 200
    if request.method == "POST":
        form, status = StateTokenForm(request.POST, environment=environment), 400
        if form.is_valid():
            try:
                plain = _issue(request, form)
                form, status = StateTokenForm(environment=environment), 201
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = environment_context(request, environment, "state")
    context |= {"form": form, "plain": plain, "now": timezone.now()}
    context |= {"address": settings.PUBLIC_URL + reverse("runs:state_backend", args=[tenant, slug])}
    context |= {"may_issue": refusal(context["roles"], "state.token") is None}
    context |= {"tokens": token_actions.state_tokens(environment)[:20] if context["may_issue"] else []}
    return render(request, "runs/state_cli.html", context, status=status)


def _issue(request: HttpRequest, form: StateTokenForm) -> str:
    _token, plain = token_actions.issue_state_token(
        by=principal_of(request),
        environment=form.environment,
        person=form.chosen,
        hours=form.cleaned_data["hours"],
        reason=form.cleaned_data["reason"],
    )
    return plain


@signed_in
@require_POST
def revoke_token(request: HttpRequest, tenant: str, slug: str, prefix: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    try:
        token_actions.revoke_state_token(by=principal_of(request), environment=environment, prefix=prefix)
        messages.success(request, _("The token is revoked."))
    except InvalidInput as wrong:
        messages.error(request, wrong.message)
    return redirect("runs:state_cli", tenant, slug)
