"""The designed error page, and Django's handler views that show it.

portal.urls names them: handler400 = "portal.core.error_pages.bad_request" and so on.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.html import escape
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from portal.core.errors import Text

logger = logging.getLogger(__name__)
MACHINE_PATHS = ("/api/", "/state/")


def answers_machines(request: HttpRequest) -> bool:
    """Whether a program, not a person, reads the answer to this path."""
    return request.path.startswith(MACHINE_PATHS)


def error_response(
    request: HttpRequest, *, status: int, title: Text, message: Text, hint: Text = ""
) -> HttpResponse:
    """The error page; for an htmx request a toast that htmx puts into #toasts."""
    fragment = request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
    template = "components/_error_toast.html" if fragment else "errors/error.html"
    context = {
        "title": title,
        "message": message,
        "hint": hint,
        "status": status,
        "request_id": getattr(request, "request_id", ""),
    }
    response = HttpResponse(loader.render_to_string(template, context, request), status=status)
    if fragment:
        # The target of the failed request keeps what it shows.
        response.headers["HX-Retarget"] = "#toasts"
        response.headers["HX-Reswap"] = "beforeend"
    return response


def _answer(request: HttpRequest, status: int, title: str, message: str, hint: str = "") -> HttpResponse:
    if answers_machines(request):
        return JsonResponse(
            {
                "type": "about:blank",
                "title": title,
                "status": status,
                "detail": message,
                "request_id": getattr(request, "request_id", ""),
            },
            status=status,
            content_type="application/problem+json",
        )
    return error_response(request, status=status, title=title, message=message, hint=hint)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 400, _("Bad request"), _("The portal could not make sense of this request."))


def malformed(request: HttpRequest, field: str, why: str) -> HttpResponse:
    """Something in the request cannot be kept; names the field where there is one."""
    named = _("The field “%(field)s” was not accepted. %(why)s") % {"field": field[:80], "why": why}
    return _answer(request, 400, _("Bad request"), named if field else why)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, 403, _("Not allowed"), str(exception or "") or _("You may not open or do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For settings.CSRF_FAILURE_VIEW."""
    return _answer(
        request,
        403,
        _("This form is too old"),
        _("Your sign-in changed after the page was loaded, so the portal did not accept the form."),
        _("Go back, reload the page and try again."),
    )


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(
        request,
        404,
        _("Not found"),
        _("There is nothing at this address, or you may not see it."),
        _("Check the address, or ask a colleague for access to the tenant."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """The 500 page. Whatever broke may break the page too (no database), so it has a plain twin."""
    title = _("Something went wrong")
    message = _("The portal failed while answering. It has been logged under the number below.")
    try:
        return _answer(request, 500, title, message, _("Try again; if it stays, tell the platform team."))
    except Exception:
        logger.exception("The error page itself could not be rendered")
        request_id = escape(getattr(request, "request_id", ""))
        return HttpResponse(f"<h1>{title}</h1><p>{message}</p><p>{request_id}</p>", status=500)
