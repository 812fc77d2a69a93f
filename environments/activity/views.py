"""Pages of the audit log: the list, one event, the export, an environment's part."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from environments.activity import chains, export, reading, shown
from environments.activity.forms import ActivityFilter
from environments.models import Environment, Tenant
from environments.pages import environment_context, find_environment, person_of
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.audit import Target, record_refusal
from portal.core.errors import InvalidInput, NotAllowed
from portal.core.pagination import keyset_page

ON_A_PAGE = 50
SUGGESTED = 30
PLACE = {"section": "activity"}


@signed_in
@never_cache
@require_safe
def event_list(request: HttpRequest) -> HttpResponse:
    user = person_of(request)
    tenants = reading.readable_tenants(user)
    try:
        events = reading.visible_to(user, tenants)
    except NotAllowed as refused:
        return _denied(request, refused)
    form = _filters(request, tenants)
    found = form.narrow(events)
    page = keyset_page(found, ordering=("-at",), cursor=request.GET.get("cursor"), size=ON_A_PAGE)
    context = {**PLACE, "page": page, "filters": form, "filtering": bool(form.chosen), "with_place": True}
    context["print_line"] = _("Activity")
    return render(request, "activity/list.html", context, status=200 if form.is_valid() else 400)


def _filters(request: HttpRequest, tenants: list[Tenant]) -> ActivityFilter:
    return ActivityFilter(request.GET, tenants=tenants, portal=person_of(request).is_portal_admin)


def _denied(request: HttpRequest, refused: NotAllowed) -> HttpResponse:
    """The reason, and the way to what they may read."""
    own = Environment.objects.visible_to(person_of(request)).active().select_related("tenant")
    context = {**PLACE, "refused": refused, "environments": own[:SUGGESTED]}
    return render(request, "activity/denied.html", context, status=refused.status)


@signed_in
@never_cache
@require_safe
def event(request: HttpRequest, uuid: UUID) -> HttpResponse:
    found, whole = reading.find_event(person_of(request), uuid)
    context: dict[str, Any] = {
        **PLACE,
        "event": found,
        "whole": whole,
        "rows": shown.differences(found),
        "target_link": shown.target_link(found),
        "place": chains.place_of(found) if whole else None,
        "print_line": found.tenant_name or _("Activity"),
    }
    return render(request, "activity/event.html", context)


@signed_in
@never_cache
@require_safe
def export_events(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The filtered events as a file, line by line."""
    user, by, form = person_of(request), principal_of(request), request.GET.get("format", "csv")
    tenants = reading.readable_tenants(user)
    try:
        events = reading.visible_to(user, tenants)
    except NotAllowed as refused:
        target = Target("audit-log", "portal", form[:20])
        record_refusal(actor=by.actor(), action="audit.export", target=target, reason=refused.message)
        raise
    filters = _filters(request, tenants)
    if not filters.is_valid():
        raise InvalidInput({name: [str(text) for text in texts] for name, texts in filters.errors.items()})
    lines = export.export(
        by=by,
        events=filters.narrow(events),
        tenants=filters.narrowed(tenants),
        form=form,
        filters=filters.chosen,
    )
    answer = StreamingHttpResponse(lines, content_type=export.FORMATS[form].content_type)
    answer["Content-Disposition"] = f'attachment; filename="activity-{timezone.now():%Y%m%d-%H%M}.{form}"'
    return answer


@signed_in
@never_cache
@require_safe
def of_environment(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    page = keyset_page(
        reading.of_environment(environment),
        ordering=("-at",),
        cursor=request.GET.get("cursor"),
        size=ON_A_PAGE,
    )
    context = environment_context(request, environment, "activity")
    return render(request, "activity/of_environment.html", {**context, "page": page})
