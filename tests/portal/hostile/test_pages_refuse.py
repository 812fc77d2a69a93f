"""Every page asked with what no browser sends: no fault of ours, no tale of another tenant, nothing lost."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest
from django.http import HttpResponseBase
from django.test import Client

from tests.portal.hostile.conftest import MARK, Scene, undone
from tests.test_access_rules import all_routes

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# 2**63 is what no integer column takes; the rest what parsers trip over.
HOSTILE: Final = (
    b"%ff%fe%80",
    b"%ed%a0%80",
    b"9223372036854775808",
    b"-1",
    b"1e999",
    b"NaN",
    b"%E2%80%AE%F0%9F%92%A5",
    b"..%2f..%2fetc%2fpasswd",
    b"%7B%22a%22%3A%5B%5D%7D",
    b"2026-02-30T25%3A61%3A00",
    b"9999-12-31T23%3A59%3A59%2B00%3A00",
    b"0001-01-01T00%3A00%3A00%2B14%3A00",
    b"x" * 5000,
)
# Names that some page somewhere reads from its query.
QUERIES: Final = frozenset(
    {"action", "actor", "after", "blueprint", "compare", "cursor", "environment", "environment_class", "from"}
    | {
        "kind",
        "left",
        "line",
        "new",
        "next",
        "number",
        "outcome",
        "page",
        "page_size",
        "q",
        "requester",
        "right",
    }
    | {
        "search",
        "since",
        "sort",
        "status",
        "target",
        "tenant",
        "text",
        "theme",
        "to",
        "type",
        "until",
        "user",
    }
    | {"version"}
)
# Every name meets this many of the hostile values; all of them by the variable.
TURNS: Final = len(HOSTILE) if "GATEHOUSE_FUZZ" in os.environ else 4
# Who sees nothing of a place gets the same 404 of the same line each time.
TURNS_OUTSIDE: Final = len(HOSTILE) if "GATEHOUSE_FUZZ" in os.environ else 2


def mixtures(names: Iterable[str], turns: int = TURNS) -> Iterator[bytes]:
    """Forms or queries of all these names, each with another hostile value, and with the next in the next one."""
    known = [name.encode("ascii", "ignore") for name in sorted(names)]
    for turn in range(turns):
        yield b"&".join(
            name + b"=" + HOSTILE[(place + 3 * turn) % len(HOSTILE)] for place, name in enumerate(known)
        )


PARAMETER: Final = re.compile(r"<(?:\w+:)?(\w+)>")


def addresses(scene: Scene) -> Iterator[str]:
    """Every page's address in the marked tenant, by real values of its parameters."""
    for pattern, _view in all_routes():
        # /readyz says 503 by itself: nobody works here.
        if pattern.startswith(("api/", "state/", "readyz")):
            continue
        slug = "object-store" if pattern.startswith("blueprints/") else "production"
        known = {"slug": slug, "environment": "production", "name": "approve", "pk": scene.real["account"][0]}
        event = scene.real["uuid"][1] if pattern.startswith("activity/") else scene.real["uuid"][0]
        known |= {"uuid": event, "tenant": "triflow", "username": "viewer"}
        yield "/" + PARAMETER.sub(lambda found, known=known: known.get(found[1], "1"), pattern)


def judge(answer: HttpResponseBase, role: str, label: str) -> None:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code < 500, f"{label} as {role}: {answer.status_code}"
    assert b"Traceback" not in content, label
    if role == "outsider":
        assert MARK.encode() not in content, f"{label}: an outsider reads {content[:300]!r}"


@pytest.mark.parametrize("role", ["admin", "outsider"])
def test_queries(scene: Scene, clients: dict[str, Client], role: str) -> None:
    """All names at once: a page reads those it knows."""
    turns = TURNS_OUTSIDE if role == "outsider" else TURNS
    for address in addresses(scene):
        for query in mixtures(QUERIES, turns):
            with undone(clients[role]):
                answer = clients[role].get(address, QUERY_STRING=query.decode("ascii"))
                judge(answer, role, f"GET {address}?{query[:200]!r}")


BODIES: Final = (
    (
        "application/x-www-form-urlencoded",
        b"%00=%00&a=%ff&" + b"&".join(b"reason=%ed%a0%80" for _ in range(3)),
    ),
    ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % number for number in range(6000))),
    ("application/x-www-form-urlencoded", b"reason=" + b"x" * 3_000_000),
    (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx',
    ),
    ("multipart/form-data; boundary=", b"--"),
    ("multipart/form-data", b"\x00\x01\x02"),
    ("application/json", b'{"a": ' * 3000),
    ("text/plain; charset=utf-999", b"\xff\xfe"),
    ("", b""),
)


@pytest.mark.parametrize("role", ["operator", "outsider"])
def test_bodies(scene: Scene, clients: dict[str, Client], role: str) -> None:
    for address in addresses(scene):
        for kind, body in BODIES:
            with undone(clients[role]):
                answer = clients[role].generic("POST", address, body, content_type=kind)
                judge(answer, role, f"POST {address} {kind} {body[:40]!r}")


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_every_field_of_every_form(scene: Scene, clients: dict[str, Client], role: str) -> None:
    """The forms as the pages show them, each field filled with each hostile value."""
    tried = 0
    for address in addresses(scene):
        page = clients[role].get(address)
        if page.status_code != 200 or page.streaming or not page["Content-Type"].startswith("text/html"):
            continue
        for action, names in forms_of(page.content.decode()):
            for body in mixtures(names):
                with undone(clients[role]):
                    answer = clients[role].generic(
                        "POST", action or address, body, content_type="application/x-www-form-urlencoded"
                    )
                    judge(answer, role, f"POST {action or address} {body[:200]!r}")
                tried += 1
    assert tried > 100, "the pages' forms were not found"


FORM: Final = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
NAME: Final = re.compile(r"<(?:input|select|textarea|button)\b[^>]*\bname=\"([^\"]+)\"")


def forms_of(html: str) -> Iterator[tuple[str, set[str]]]:
    """Address (empty: the page's own) and field names of each form that posts."""
    for attributes, inside in FORM.findall(html):
        if 'method="post"' not in attributes.lower():
            continue
        action = re.search(r'action="([^"]*)"', attributes)
        yield (action[1] if action else ""), set(NAME.findall(inside)) - {"csrfmiddlewaretoken"}


def test_a_nul_is_refused_by_the_name_of_its_field(scene: Scene, clients: dict[str, Client]) -> None:
    """PostgreSQL keeps it in no text; the same answer on every database."""
    address = f"/changes/{scene.change.uuid}/comment/"
    asked = clients["operator"].get("/changes/", {"status": "a\0b"})
    told = clients["operator"].post(address, {"text": "a\0b"})
    by_api = clients["operator"].post(
        f"/api/v1/changes/{scene.change.uuid}/comments/",
        '{"text": "a\\u0000b"}',
        content_type="application/json",
    )
    half = clients["operator"].post(
        f"/api/v1/changes/{scene.change.uuid}/comments/",
        '{"text": ["\\ud800"]}',
        content_type="application/json",
    )
    assert (asked.status_code, told.status_code, by_api.status_code, half.status_code) == (400,) * 4
    assert "status" in asked.content.decode()
    assert "“text”" in told.content.decode()
    assert by_api.json()["errors"].keys() == {"text"}
    assert half.json()["errors"].keys() == {"text.0"}
    assert clients["operator"].get("/changes/%00").status_code == 400


def test_json_without_end_is_refused(scene: Scene, clients: dict[str, Client]) -> None:
    for depth in (300, 200_000):
        answer = clients["operator"].post(
            f"/api/v1/changes/{scene.change.uuid}/comments/",
            "[" * depth + "]" * depth,
            content_type="application/json",
        )
        assert answer.status_code == 400, depth
        assert answer.json()["status"] == 400


def test_a_cursor_without_end_is_refused(scene: Scene, clients: dict[str, Client]) -> None:
    cursor = base64.urlsafe_b64encode(b"[" * 6000).decode()
    assert clients["operator"].get("/changes/", {"cursor": cursor}).status_code == 400
    assert clients["operator"].get("/api/v1/environments/", {"cursor": cursor}).status_code == 400


def test_addresses_that_are_no_utf8(clients: dict[str, Client]) -> None:
    for address in (
        "/tenants/%ff%fe/",
        "/%00",
        "/changes/%ed%a0%80/",
        "/" + "a/" * 3000,
        "/tenants/..%2f..%2f/",
    ):
        with undone():
            judge(clients["operator"].get(address), "operator", address[:60])


def test_a_readable_refusal_keeps_what_was_typed(scene: Scene, clients: dict[str, Client]) -> None:
    typed = "A reason that somebody wrote with care"
    with undone():
        answer = clients["operator"].post(
            "/environments/triflow/production/runs/new/", {"mode": "sideways", "reason": typed}
        )
        assert answer.status_code in {200, 400}
        assert typed in answer.content.decode()


def test_the_judge_would_see_a_fault_and_a_leak(clients: dict[str, Client], rf: Any) -> None:
    from django.http import HttpResponse

    with pytest.raises(AssertionError, match="500"):
        judge(HttpResponse(status=500), "viewer", "GET /x")
    with pytest.raises(AssertionError, match="outsider reads"):
        judge(HttpResponse(MARK), "outsider", "GET /x")
