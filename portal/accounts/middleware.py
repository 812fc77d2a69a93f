"""Every request: is its page open to this person, and which clock do they read?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.views import APIView

from portal.accounts.access import rule_of, view_class_of
from portal.accounts.models import User
from portal.accounts.principals import principal_of
from portal.audit import Target, record_refusal
from portal.core.error_pages import answers_machines, permission_denied

logger = logging.getLogger(__name__)
Answer = Callable[[HttpRequest], HttpResponseBase]
# Open to people who must first replace a password that somebody else knows.
BEFORE_OWN_PASSWORD = frozenset({"accounts:password", "accounts:sign_out"})


class AccessMiddleware:
    """Refuses every view that declares no access rule, and holds pages to the rule they declare.

    DRF views know tokens too, so they check their rule themselves (permissions.DeclaredAccess).
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        rule = rule_of(view)
        if rule is None:
            logger.error("%s declares no access rule and stays closed", getattr(view, "__qualname__", view))
            return permission_denied(request, PermissionDenied(_("This page is not open to anybody yet.")))
        view_class = view_class_of(view)
        if rule in ("public", "machine") or (view_class is not None and issubclass(view_class, APIView)):
            return None
        user = request.user
        if not isinstance(user, User) or not user.is_active:
            return to_sign_in(request)
        name = request.resolver_match.view_name if request.resolver_match else ""
        if user.must_change_password and name not in BEFORE_OWN_PASSWORD:
            return _go(request, resolve_url("accounts:password"))
        if rule == "portal_admin" and not user.is_portal_admin:
            return _refused(request)
        return None


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Where strangers are sent: the sign-in page, which then leads on; programs get 401."""
    if answers_machines(request):
        problem = {
            "type": "urn:gatehouse:problem:not-authenticated",
            "title": _("Not signed in"),
            "status": 401,
            "detail": _("Sign in, or send an API token."),
            "request_id": getattr(request, "request_id", ""),
        }
        response = JsonResponse(problem, status=401, content_type="application/problem+json")
        response.headers["WWW-Authenticate"] = "Token"
        return response
    back = _page_of(request)
    query = f"?{urlencode({'next': back})}" if back != "/" else ""
    return _go(request, resolve_url(settings.LOGIN_URL) + query)


def _page_of(request: HttpRequest) -> str:
    """The whole page to come back to: a fragment or a press of a button is not one."""
    if request.method == "GET" and request.headers.get("HX-Request") != "true":
        return request.get_full_path()
    page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer") or "/")
    if page.netloc not in ("", request.get_host()):
        return "/"
    return page._replace(scheme="", netloc="", fragment="").geturl() or "/"


def _go(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect; htmx is told to load the whole page instead of swapping it into a fragment."""
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse()
        response.headers["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url)


def _refused(request: HttpRequest) -> HttpResponse:
    reason = _("Only portal administrators may open this page.")
    path = request.path[:200]
    record_refusal(
        actor=principal_of(request).actor(),
        action="page.open",
        target=Target("page", path, path),
        reason=reason,
    )
    return permission_denied(request, PermissionDenied(reason))


class TimezoneMiddleware:
    """Times are shown in the person's zone, else in the portal's."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        chosen = request.user.time_zone if isinstance(request.user, User) else ""
        with timezone.override(ZoneInfo(chosen or settings.DEFAULT_DISPLAY_TIME_ZONE)):
            return self.get_response(request)
