"""The OpenAPI document, as schemathesis reads it, asked by every role with what fits it and what does not.

No answer is a fault of ours, every refusal is a problem document, and nobody is told of another tenant.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

import pytest
import schemathesis
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core import NOT_SET
from schemathesis.generation import GenerationMode

from tests.portal.hostile.conftest import MARK, ROLES, Scene, undone

pytestmark = pytest.mark.django_db

SHARDS: Final = 4
# The same ones each time, so that a red run is about the change at hand; more, and random ones, by the variable.
EXAMPLES: Final = int(os.environ.get("GATEHOUSE_FUZZ", "8"))


@pytest.fixture
def document() -> dict[str, Any]:
    """The document as a client gets it, from /api/v1/schema/."""
    made = SchemaGenerator().get_schema(request=None, public=True)
    return dict(json.loads(json.dumps(made, default=str)))


def operations(document: dict[str, Any]) -> list[Any]:
    return [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]


def address_of(case: Any, scene: Scene, choose: Any) -> str:
    """The operation's path; a parameter is a real one three times out of four, else what was made up."""
    address = str(case.operation.path)
    for name, made_up in (case.path_parameters or {}).items():
        known = scene.real.get(name, [])
        value = choose(st.sampled_from([*known * 3, made_up])) if known else made_up
        address = address.replace("{" + name + "}", str(value))
    return address


def body_of(case: Any, scene: Scene, choose: Any) -> Any:
    """The body; a field that names something here names a real one half of the time, so that asking goes deeper."""
    if case.body is NOT_SET:
        return b""
    if not isinstance(case.body, dict):
        return case.body
    return {
        name: choose(st.sampled_from([value, *scene.real[name]])) if name in scene.real else value
        for name, value in case.body.items()
    }


def ask(client: Client, case: Any, address: str, body: Any, token: str) -> Any:
    if not isinstance(body, bytes):
        body = json.dumps(body, default=str).encode("utf-8", "surrogatepass")
    query = {
        key: value if isinstance(value, list) else str(value) for key, value in (case.query or {}).items()
    }
    return client.generic(
        case.method,
        address.encode("ascii", "backslashreplace").decode(),
        body,
        content_type="application/json",
        query_params=query,
        headers={"Authorization": f"Token {token}"},
    )


def judge(answer: Any, role: str, label: str) -> None:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert answer.status_code < 500, f"{label} as {role}: {answer.status_code} {content[:600]!r}"
    if role == "outsider":
        assert MARK.encode() not in content, f"{label}: an outsider reads {content[:600]!r}"
    if answer.status_code >= 400 and content:
        assert answer["Content-Type"].startswith("application/problem+json"), f"{label}: {content[:300]!r}"
        problem = json.loads(content)
        assert problem["status"] == answer.status_code
        assert problem["title"], label


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_operation_breaks_or_tells_tales(
    scene: Scene, document: dict[str, Any], shard: int, settings_without_throttle: None
) -> None:
    client = Client(raise_request_exception=False)
    for operation in operations(document)[shard::SHARDS]:
        label = f"{operation.method.upper()} {operation.path}"
        _try(client, scene, operation, GenerationMode.POSITIVE, label)
        try:
            _try(client, scene, operation, GenerationMode.NEGATIVE, label)
        except Unsatisfiable:
            # A path of free text and no body: nothing there can be of a wrong type.
            assert not list(operation.body), label


def _try(client: Client, scene: Scene, operation: Any, mode: GenerationMode, label: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize="GATEHOUSE_FUZZ" not in os.environ,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def run(case: Any, data: Any) -> None:
        role = data.draw(st.sampled_from([*ROLES, "outsider", "operator"]))
        address = address_of(case, scene, data.draw)
        with undone():
            body = body_of(case, scene, data.draw)
            judge(ask(client, case, address, body, scene.tokens[role]), role, f"{label} {address} {body!r}")

    run()


@pytest.fixture
def settings_without_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of requests from one test are not what the throttle is for."""
    from rest_framework.throttling import SimpleRateThrottle

    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *args: True)


def test_the_judge_would_see_a_fault_and_a_leak(scene: Scene) -> None:
    """The assertions above, shown to fail."""
    from django.http import HttpResponse

    with pytest.raises(AssertionError, match="500"):
        judge(HttpResponse(status=500), "viewer", "GET /x")
    with pytest.raises(AssertionError, match="outsider reads"):
        judge(HttpResponse(MARK), "outsider", "GET /x")
    with pytest.raises(AssertionError):
        judge(HttpResponse("<h1>no</h1>", status=400), "viewer", "GET /x")
