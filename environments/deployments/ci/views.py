"""Deploying from a build pipeline: how to, and the tokens for it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from environments.deployments.ci import token_actions
from environments.deployments.ci.forms import DeployTokenForm
from environments.deployments.services import services_of
from environments.models import Environment
from environments.pages import environment_context, find_environment
from environments.permissions import refusal
from portal.accounts.access import signed_in
from portal.accounts.forms import show_error
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pipeline(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    """What a pipeline needs; for operators, a token for it: its text is in this one answer only."""
    environment = find_environment(request, tenant, slug)
    form, plain, status = DeployTokenForm(), "", 200
    if request.method == "POST":
        form, status = DeployTokenForm(request.POST), 400
        if form.is_valid():
            try:
                _token, plain = token_actions.issue_deploy_token(
                    by=principal_of(request), environment=environment, **form.cleaned_data
                )
                form, status = DeployTokenForm(), 201
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = _context(request, environment) | {"form": form, "plain": plain}
    return render(request, "deployments/pipeline.html", context, status=status)


def _context(request: HttpRequest, environment: Environment) -> dict[str, object]:
    context = environment_context(request, environment, "services")
    may_issue = refusal(context["roles"], "deployment.token") is None
    return context | {
        "may_issue": may_issue,
        "tokens": token_actions.deploy_tokens(environment)[:50] if may_issue else [],
        "address": settings.PUBLIC_URL,
        "services": services_of(environment),
        "now": timezone.now(),
    }


@signed_in
@require_POST
def revoke(request: HttpRequest, tenant: str, slug: str, prefix: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    try:
        token_actions.revoke_deploy_token(by=principal_of(request), environment=environment, prefix=prefix)
        messages.success(request, _("The token is revoked."))
    except InvalidInput as wrong:
        messages.error(request, wrong.message)
    return redirect("deployments:pipeline", tenant, slug)
