"""The page after a restore: copies in the bucket that are newer than what the backup knew."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from environments.pages import environment_context, find_environment
from environments.permissions import refusal
from environments.runs.models import StateLock, StateVersion
from environments.runs.states import doubts, recovering
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.aws.errors import AwsError
from portal.core.errors import Conflict, InvalidInput


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recover(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    context, status = environment_context(request, environment, "state"), 200
    if request.method == "POST":
        try:
            key = request.POST.get("key", "")
            version = recovering.recover(by=principal_of(request), environment=environment, key=key)
            said = {"n": version.number}
            messages.success(request, _("The copy is version %(n)s now, and the lock is released.") % said)
            return redirect("runs:state_versions", tenant, slug)
        except (InvalidInput, AwsError) as wrong:
            context["error"], status = wrong, wrong.status
    denied = refusal(context["roles"], "state.unlock")
    try:
        context["copies"] = [] if denied else recovering.copies_of(environment)
    except (Conflict, AwsError) as unread:
        context["unread"] = unread
    lock = StateLock.objects.filter(environment=environment).first()
    context |= {"denied": denied, "lock": lock, "doubted": doubts.doubted(lock)}
    context["newest"] = StateVersion.objects.light().filter(environment=environment).newest()
    return render(request, "runs/state_recover.html", context, status=status)
