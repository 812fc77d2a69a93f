"""The real templates show what the middleware gives them."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory

from portal.core.error_pages import page_not_found
from portal.core.errors import NotAllowed
from portal.core.middleware import ErrorPageMiddleware

pytestmark = pytest.mark.django_db


def asked(**headers: str) -> HttpRequest:
    request = RequestFactory().get("/changes/1/", headers=headers)
    request.request_id, request.htmx, request.user = "trace-12345", False, AnonymousUser()  # type: ignore[attr-defined]
    return request


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "toast"])
def test_a_refusal_is_readable_and_escaped(headers: dict[str, str]) -> None:
    refused = NotAllowed("Kim <b>requested</b> this.", hint="Ask another approver.")
    answer = ErrorPageMiddleware(lambda _: None).process_exception(asked(**headers), refused)
    assert answer is not None
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Kim &lt;b&gt;requested&lt;/b&gt; this." in page
    assert "Ask another approver." in page
    assert "trace-12345" in page


def test_what_is_not_there() -> None:
    answer = page_not_found(asked())
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.content.decode()
    assert "trace-12345" in answer.content.decode()
