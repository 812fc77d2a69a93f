"""Errors of the API as problem documents (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from portal.core.errors import GatehouseError, InvalidInput

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"


def problem_response(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER.

    Body: type, title, status, detail, request_id; `hint` when there is one; `errors` (field -> messages,
    "" for the whole) for wrong input. None for what is not ours to explain: that becomes a 500.
    """
    problem = _describe(exc)
    if problem is None:
        return None
    if problem["status"] >= 500:
        logger.error("A call to the API failed", exc_info=exc)
    request = context.get("request")
    problem["request_id"] = getattr(getattr(request, "_request", request), "request_id", "")
    response = Response(problem, status=problem["status"], content_type=CONTENT_TYPE)
    if isinstance(exc, exceptions.APIException):
        # Retry-After and WWW-Authenticate are DRF's to know.
        standard = exception_handler(exc, dict(context))
        for name in ("Retry-After", "WWW-Authenticate"):
            if standard is not None and name in standard.headers:
                response.headers[name] = standard.headers[name]
    set_rollback()
    return response


def _describe(exc: Exception) -> dict[str, Any] | None:
    match exc:
        case GatehouseError():
            return _gatehouse(exc)
        case Http404():
            return _problem(
                "not-found", 404, _("Not found"), _("There is nothing here, or you may not see it.")
            )
        case PermissionDenied():
            return _problem("not-allowed", 403, _("Not allowed"), str(exc) or _("You may not do this."))
        case DjangoValidationError():
            return _gatehouse(InvalidInput(_django_errors(exc)))
        case exceptions.ValidationError():
            return _gatehouse(InvalidInput(dict(flatten(exc.detail))))
        case exceptions.APIException():
            return _problem(
                str(exc.default_code).replace("_", "-"),
                exc.status_code,
                str(exc.default_detail),
                str(exc.detail),
            )
    return None


def _problem(code: str, status: int, title: str, detail: str) -> dict[str, Any]:
    return {"type": f"urn:gatehouse:problem:{code}", "title": title, "status": status, "detail": detail}


def _gatehouse(exc: GatehouseError) -> dict[str, Any]:
    problem = _problem(exc.code, exc.status, str(exc.title), exc.message)
    if exc.hint:
        problem["hint"] = exc.hint
    if isinstance(exc, InvalidInput):
        problem["errors"] = exc.errors
    return problem


def _django_errors(exc: DjangoValidationError) -> dict[str, list[str]]:
    if not hasattr(exc, "error_dict"):
        return {"": list(exc.messages)}
    return {
        "" if field == NON_FIELD_ERRORS else field: list(texts) for field, texts in exc.message_dict.items()
    }


def flatten(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """A nested DRF error as (dotted field, messages): {"a": [{"b": ["no"]}]} gives ("a.0.b", ["no"])."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from flatten(inner, ".".join(filter(None, [path, name])))
    elif isinstance(detail, list) and any(isinstance(inner, Mapping | list) for inner in detail):
        for index, inner in enumerate(detail):
            if inner:
                yield from flatten(inner, f"{path}.{index}" if path else str(index))
    else:
        yield path, [str(text) for text in (detail if isinstance(detail, list) else [detail])]
