"""Every address declares who may open it, and no declaration is an empty word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, path
from rest_framework.views import APIView

from portal.accounts.access import RULES, rule_of, view_class_of
from portal.accounts.middleware import AccessMiddleware
from portal.accounts.permissions import DeclaredAccess
from tests.cast import person

# Opened by people who are not signed in. Whoever adds one has thought about it.
PUBLIC = {"healthz", "readyz", "accounts/sign-in/", "accounts/sign-out/"}


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    for entry in patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, address)
        elif isinstance(entry, URLPattern):
            yield address, entry.callback


def all_routes() -> list[tuple[str, Callable[..., Any]]]:
    return list(routes(get_resolver().url_patterns))


def undeclared(found: list[tuple[str, Callable[..., Any]]]) -> list[str]:
    return [address for address, view in found if rule_of(view) not in RULES]


def test_every_route_declares_its_rule() -> None:
    found = all_routes()
    assert len(found) > 10
    assert undeclared(found) == []


def test_a_view_without_a_rule_would_be_found() -> None:
    def forgotten(request: Any) -> HttpResponse:
        return HttpResponse("secret")

    assert undeclared(list(routes([path("forgotten/", forgotten)]))) == ["forgotten/"]


def test_only_the_known_routes_are_public() -> None:
    assert {address for address, view in all_routes() if rule_of(view) == "public"} == PUBLIC


def test_machines_have_no_pages() -> None:
    machines = [address for address, view in all_routes() if rule_of(view) == "machine"]
    assert [address for address in machines if not address.startswith("state/")] == []


def test_api_views_are_held_to_their_rule() -> None:
    classes = {address: view_class_of(view) for address, view in all_routes() if rule_of(view) != "machine"}
    api = {address: cls for address, cls in classes.items() if cls is not None and issubclass(cls, APIView)}
    assert len(api) > 3
    assert [address for address, cls in api.items() if DeclaredAccess not in cls.permission_classes] == []


def test_the_api_lives_where_errors_are_problem_documents() -> None:
    for address, view in all_routes():
        cls = view_class_of(view)
        is_api = cls is not None and issubclass(cls, APIView)
        assert is_api == address.startswith("api/v1/"), address


@pytest.mark.django_db
def test_strangers_get_no_page(client: Client) -> None:
    """Every address without parameters, asked for by nobody in particular."""
    for address, view in all_routes():
        if "<" in address or rule_of(view) in ("public", "machine"):
            continue
        response = client.get(f"/{address}")
        expected = 401 if address.startswith("api/") else 302
        assert response.status_code == expected, address


def forgotten(request: Any) -> HttpResponse:
    return HttpResponse("secret")


def handmade(request: Any) -> HttpResponse:
    return HttpResponse("secret")


handmade.access_rule = "everybody"  # type: ignore[attr-defined]


@pytest.mark.django_db
@pytest.mark.parametrize("view", [forgotten, handmade])
def test_a_view_without_a_rule_is_closed_even_to_administrators(view: Callable[..., Any]) -> None:
    request = RequestFactory().get("/anywhere/")
    request.user = person("admin", is_portal_admin=True)
    gate = AccessMiddleware(lambda _request: HttpResponse("secret"))
    response = gate.process_view(request, view, (), {})
    assert response is not None
    assert response.status_code == 403
    assert b"secret" not in response.content
