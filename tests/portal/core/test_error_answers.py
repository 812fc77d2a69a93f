"""The same refusal as a page, as a toast and as a problem document."""

import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.core import error_pages
from portal.core.errors import Conflict, GatehouseError, InvalidInput, NotAllowed, NotFound, StaleState
from portal.core.middleware import ErrorPageMiddleware, RequestIdMiddleware
from portal.core.problems import flatten

ERRORS: dict[str, Exception] = {
    "not-allowed": NotAllowed("Only approvers may do this.", hint="Ask Kim."),
    "stale-state": StaleState("Moved."),
    "conflict": Conflict("On hold."),
    "not-found": NotFound("No such change."),
    "invalid-input": InvalidInput({"size": ["Too big."], "": ["And late."]}),
    "http404": Http404("secret detail"),
    "denied": PermissionDenied("No entry."),
    "django": ValidationError({"name": ["Taken."], "__all__": ["Whole."]}),
    "nested": exceptions.ValidationError(
        {"rules": [{}, {"port": ["Number."]}], "non_field_errors": ["All."]}
    ),
    "throttled": exceptions.Throttled(wait=7),
    "broken": RuntimeError("boom"),
    "tool": GatehouseError("Terraform said no."),
}


def page(request: HttpRequest, name: str) -> HttpResponse:
    raise ERRORS[name]


class Api(APIView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, request: Request, name: str) -> Response:
        raise ERRORS[name]


class Size(serializers.Serializer):  # type: ignore[type-arg]
    size = serializers.IntegerField()


def fine(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.request_id)  # type: ignore[attr-defined]


urlpatterns = [
    path("page/<name>", page),
    path("state/<name>", page),
    path("api/v1/<name>", Api.as_view()),
    path("fine", fine),
]
handler400 = "portal.core.error_pages.bad_request"
handler403 = "portal.core.error_pages.permission_denied"
handler404 = "portal.core.error_pages.page_not_found"
handler500 = "portal.core.error_pages.server_error"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.locmem.Loader",
                    {
                        "errors/error.html": "PAGE {{ status }}|{{ title }}|{{ message }}|{{ hint }}|"
                        "{{ request_id }}",
                        "components/_error_toast.html": "TOAST {{ status }}|{{ message }}",
                    },
                )
            ]
        },
    }
]
MIDDLEWARE = [
    "portal.core.middleware.RequestIdMiddleware",
    "portal.core.middleware.ContentSecurityPolicyMiddleware",
    "portal.core.middleware.ErrorPageMiddleware",
]


@pytest.fixture
def client():
    with override_settings(
        ROOT_URLCONF=__name__,
        TEMPLATES=TEMPLATES,
        MIDDLEWARE=MIDDLEWARE,
        SECURE_CSP={"default-src": ["'self'"], "img-src": ["'self'", "data:"]},
    ):
        yield Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("name", "status"), [("not-allowed", 403), ("stale-state", 409), ("conflict", 409), ("not-found", 404)]
)
def test_a_page_shows_the_reason_and_the_request_id(client: Client, name: str, status: int) -> None:
    response = client.get(f"/page/{name}", headers={"X-Request-ID": "abcdef-123456"})
    error = ERRORS[name]
    assert response.status_code == status
    assert (
        response.content.decode() == f"PAGE {status}|{error.title}|{error.message}|{error.hint}|abcdef-123456"
    )


def test_htmx_gets_a_toast_and_keeps_its_target(client: Client) -> None:
    response = client.get("/page/conflict", headers={"HX-Request": "true"})
    assert (response.status_code, response.content.decode()) == (409, "TOAST 409|On hold.")
    assert response["HX-Retarget"] == "#toasts"
    boosted = client.get("/page/conflict", headers={"HX-Request": "true", "HX-Boosted": "true"})
    assert boosted.content.decode().startswith("PAGE 409")


def test_the_handlers_of_django_show_the_same_page(client: Client) -> None:
    assert client.get("/nowhere").content.decode().startswith("PAGE 404|Not found|")
    denied = client.get("/page/denied")
    assert (denied.status_code, "No entry." in denied.content.decode()) == (403, True)
    assert b"secret detail" not in client.get("/page/http404").content
    failed = client.get("/page/broken")
    assert failed.status_code == 500
    assert failed.content.startswith(b"PAGE 500")
    assert b"boom" not in failed.content


def test_a_failure_of_a_tool_is_told_and_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    failed = client.get("/page/tool")
    assert failed.content.decode().startswith("PAGE 500|Something went wrong|Terraform said no.")
    assert client.get("/api/v1/tool").json()["detail"] == "Terraform said no."
    told = [record for record in caplog.records if record.name.startswith("portal.core")]
    assert len(told) == 2
    assert all(record.exc_info for record in told)


def test_machines_are_not_sent_pages(client: Client) -> None:
    for address in ("/state/conflict", "/api/nowhere"):
        response = client.get(address)
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["request_id"]


def test_a_broken_error_page_still_answers(client: Client) -> None:
    broken = [{"BACKEND": TEMPLATES[0]["BACKEND"], "OPTIONS": {"loaders": []}}]
    with override_settings(TEMPLATES=broken):
        response = client.get("/page/broken", headers={"X-Request-ID": "number-12345"})
    assert response.status_code == 500
    assert b"number-12345" in response.content


def test_a_form_with_an_old_token_gets_a_sentence(client: Client) -> None:
    request = RequestFactory().post("/page/x")
    response = error_pages.csrf_failure(request, reason="CSRF cookie not set.")
    assert (response.status_code, b"reload the page" in response.content) == (403, True)


@pytest.mark.parametrize("given", ["short", "x" * 65, "line\nbreak-line", "<script>alert", ""])
def test_only_well_formed_request_ids_are_taken_over(client: Client, given: str) -> None:
    request = RequestFactory().get("/fine", headers={"X-Request-ID": given})
    RequestIdMiddleware(fine)(request)
    assert request.request_id != given
    assert len(request.request_id) == 32


def test_every_answer_has_id_and_policy(client: Client) -> None:
    response = client.get("/fine", headers={"X-Request-ID": "trace-0001"})
    assert response.content == b"trace-0001"
    assert response["X-Request-ID"] == "trace-0001"
    assert response["Content-Security-Policy"] == "default-src 'self'; img-src 'self' data:"


def test_other_errors_are_not_swallowed() -> None:
    request = RequestFactory().get("/page/x")
    assert ErrorPageMiddleware(fine).process_exception(request, RuntimeError("boom")) is None


def problem(client: Client, name: str) -> dict:
    response = client.get(f"/api/v1/{name}", headers={"X-Request-ID": "trace-0002"})
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["status"] == response.status_code
    assert body.pop("request_id") == "trace-0002"
    return body


def test_a_refusal_as_problem_document(client: Client) -> None:
    assert problem(client, "not-allowed") == {
        "type": "urn:gatehouse:problem:not-allowed",
        "title": "Not allowed",
        "status": 403,
        "detail": "Only approvers may do this.",
        "hint": "Ask Kim.",
    }
    assert problem(client, "tool")["status"] == 500


def test_wrong_input_field_by_field(client: Client) -> None:
    assert problem(client, "invalid-input")["errors"] == {"size": ["Too big."], "": ["And late."]}
    assert problem(client, "django")["errors"] == {"name": ["Taken."], "": ["Whole."]}
    nested = problem(client, "nested")
    assert (nested["status"], nested["errors"]) == (400, {"rules.1.port": ["Number."], "": ["All."]})


def test_errors_of_a_real_serializer() -> None:
    wrong = Size(data={"size": "x"})
    wrong.is_valid()
    assert dict(flatten(wrong.errors)) == {"size": ["A valid integer is required."]}


def test_errors_of_django_and_drf(client: Client) -> None:
    assert problem(client, "http404")["type"].endswith("not-found")
    assert problem(client, "denied")["detail"] == "No entry."
    throttled = client.get("/api/v1/throttled")
    assert (throttled.status_code, throttled["Retry-After"]) == (429, "7")
    assert client.get("/api/v1/broken").status_code == 500
