"""The Front ends tab: releases, uploading a build, putting an earlier release in force again."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from environments.deployments.front_ends import actions, shown, uploads
from environments.deployments.front_ends.forms import RollbackForm, UploadForm
from environments.deployments.front_ends.models import FrontEndRelease
from environments.deployments.front_ends.places import front_ends_of
from environments.pages import environment_context, find_environment
from environments.permissions import refusal
from portal.accounts.access import signed_in
from portal.accounts.forms import show_error
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput


@csrf_exempt
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def front_ends(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    """The CSRF token is checked too, once the upload is bound to its limit: reading it reads the body."""
    uploads.limit(request)
    return _front_ends(request, tenant, slug)


front_ends.reads_upload = True  # type: ignore[attr-defined]


@csrf_protect
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def _front_ends(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    found = front_ends_of(environment)
    form, status = UploadForm(front_ends=found), 200
    if request.method == "POST":
        actions.may_ask(by=principal_of(request), environment=environment)
        form, status = UploadForm(request.POST, request.FILES, front_ends=found), 400
        if form.is_valid():
            try:
                by = principal_of(request)
                change = actions.request_release(by=by, environment=environment, **form.wanted())
                return redirect("changes:detail", change.uuid)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = environment_context(request, environment, "front_ends")
    context |= {
        "form": form,
        "lines": [shown.line(environment, one) for one in found],
        "denied": refusal(context["roles"], "change.request"),
    }
    return render(request, "front_ends/front_ends.html", context, status=status)


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rollback(request: HttpRequest, tenant: str, slug: str, release: int) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    rows = FrontEndRelease.objects.filter(environment=environment).defer("content", "files")
    wanted = rows.filter(pk=release).first()
    if wanted is None:
        raise Http404
    form, status = RollbackForm(), 200
    if request.method == "POST":
        form, status = RollbackForm(request.POST), 400
        if form.is_valid():
            try:
                change = actions.request_rollback(
                    by=principal_of(request),
                    environment=environment,
                    front_end=wanted.address,
                    number=wanted.number,
                    reason=form.cleaned_data["reason"],
                )
                return redirect("changes:detail", change.uuid)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = environment_context(request, environment, "front_ends")
    context |= {"form": form, "denied": refusal(context["roles"], "change.request")}
    context |= shown.preview(environment, wanted)
    return render(request, "front_ends/rollback.html", context, status=status)
