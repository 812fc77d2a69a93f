"""The page that asks for a rollback: for a phone, at night."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from environments.deployments import actions
from environments.deployments.models import DeploymentPart
from environments.deployments.rollbacks import page
from environments.models import Environment
from environments.pages import environment_context, find_environment
from environments.permissions import refusal
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput

# What a database column can count.
LONGEST = 18


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rollback(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    if request.method == "POST":
        return _ask(request, environment)
    context = environment_context(request, environment, "services")
    context |= page.context(environment, request.GET)
    context |= {"denied": refusal(context["roles"], "change.request")}
    return render(request, "deployments/rollback.html", context)


def _ask(request: HttpRequest, environment: Environment) -> HttpResponse:
    parts = _chosen(environment, request.POST.getlist("part"))
    try:
        change = actions.request_rollback(
            by=principal_of(request),
            environment=environment,
            deployment=parts[0].deployment if parts else None,
            also=[part.deployment for part in parts[1:]],
            services=[part.service_arn for part in parts],
            reason=request.POST.get("reason", "").strip(),
        )
    except InvalidInput as wrong:
        messages.error(request, " ".join(text for texts in wrong.errors.values() for text in texts))
        return redirect("deployments:rollback", environment.tenant.slug, environment.slug)
    messages.success(request, _("The rollback is on its way, ahead of all that waits."))
    return redirect("changes:detail", change.uuid)


def _chosen(environment: Environment, keys: list[str]) -> list[DeploymentPart]:
    """The proven parts that were shown and kept ticked; what is none of them is left out."""
    numbers = [int(key) for key in keys if key.isdecimal() and len(key) <= LONGEST]
    rows = DeploymentPart.objects.filter(pk__in=numbers, deployment__change__environment=environment)
    return list(rows.select_related("deployment__change").order_by("-deployment_id", "position"))
