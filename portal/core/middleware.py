"""What every answer gets: a request id, a content security policy, and a readable error page."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from portal.core.error_pages import answers_machines, error_response
from portal.core.errors import GatehouseError

logger = logging.getLogger(__name__)
Answer = Callable[[HttpRequest], HttpResponseBase]
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """`request.request_id`: a well-formed X-Request-ID of the caller, else a new one; in the answer too."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        # Anything else could forge lines in a log or entries of the audit.
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response


class ContentSecurityPolicyMiddleware:
    """Content-Security-Policy from settings.SECURE_CSP, unless the view has set its own."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.policy = "; ".join(f"{name} {' '.join(values)}" for name, values in settings.SECURE_CSP.items())

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


class ErrorPageMiddleware:
    """A GatehouseError raised by a page becomes the designed error page, or a toast for htmx.

    The API and Terraform's state backend answer for themselves.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, GatehouseError) or answers_machines(request):
            return None
        if exception.status >= 500:
            # Ours or a tool's fault, not the person's: they get the sentence, we get the traceback.
            logger.error("%s %s failed", request.method, request.path, exc_info=exception)
        return error_response(
            request,
            status=exception.status,
            title=exception.title,
            message=exception.message,
            hint=exception.hint,
        )
