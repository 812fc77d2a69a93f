"""The change page of a deployment in every state: what it says, what it never shows, what it costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from environments.changes.kinds import kind_of
from environments.changes.models import Change
from environments.deployments.shown import progress
from environments.models import Environment
from portal.accounts.models import User
from tests.environments.deployments import crafted

SignIn = Callable[[User], Client]
SECRETS = ("old-secret-value", "new-secret-value", "a-value-nobody-may-see")


def page_of(client: Client, change: Change) -> str:
    answer = client.get(f"/changes/{change.uuid}/")
    assert answer.status_code == 200
    return answer.content.decode()


def live(client: Client, change: Change, stamp: str = "") -> Any:
    return client.get(f"/changes/{change.uuid}/live/?stamp={stamp}")


def test_a_proposal_says_what_it_does_and_hides_what_is_secret(
    production: Environment, operator: User, viewer: User, sign_in: SignIn, api: Any
) -> None:
    change = crafted.deployment(production, operator, "awaiting_approval", "backend", "worker")
    text = page_of(sign_in(viewer), change)
    assert "The tasks of backend are replaced: image 1a1a1a1a1a1a → v2 · 2b2b2b2b2b2b." in text
    assert "Rolling: new tasks start beside the old ones" in text
    assert "A lifecycle rule deletes the present image in 3 days." in text
    for said in (
        "182.4 MB",
        "linux/amd64, linux/arm64",
        "1 critical",
        "7 medium",
        "compare/" + "a1" * 20,
        "Terraform",
        "from Terraform&#x27;s newest revision",
        "Needs attention",
        "Unknown",
        "cloudwatch:DescribeAlarms",
    ):
        assert said in text, said
    details = api(viewer).get(f"/api/v1/changes/{change.uuid}/").json()["details"]
    assert details["services"][0]["proposal"]["difference"][0]["owner"] == "deployment"
    assert details["warnings"] == ["A lifecycle rule deletes the present image in 3 days."]
    for secret in SECRETS:
        assert secret not in text
        assert secret not in str(details)


def test_nobody_else_may_look(
    production: Environment, operator: User, outsider: User, sign_in: SignIn
) -> None:
    change = crafted.deployment(production, operator, "executing", "backend")
    crafted.rolling_out(change)
    assert sign_in(outsider).get(f"/changes/{change.uuid}/").status_code == 404
    assert live(sign_in(outsider), change).status_code == 404


def test_an_image_of_which_nothing_is_known_says_so(
    production: Environment, operator: User, sign_in: SignIn
) -> None:
    image = {"pushed_at": None, "size": None, "platforms": [], "scan": None, "labels": {}}
    change = crafted.deployment(production, operator, "awaiting_approval", "backend", image=image)
    text = page_of(sign_in(operator), change)
    assert text.count("not known") == 3
    assert "Not scanned" in text
    assert "No findings" not in text


def test_a_label_cannot_smuggle_a_link(production: Environment, operator: User, sign_in: SignIn) -> None:
    image = {**crafted.FACTS, "commits": {"from": "a", "to": "b", "url": "javascript:alert(1)"}}
    change = crafted.deployment(production, operator, "awaiting_approval", "backend", image=image)
    assert "javascript:" not in page_of(sign_in(operator), change)


def test_a_rollout_under_way(production: Environment, operator: User, sign_in: SignIn) -> None:
    change = crafted.deployment(production, operator, "executing", "backend", "worker")
    crafted.rolling_out(change)
    text = live(sign_in(operator), change).content.decode()
    for said in (
        "Rolling out",
        "0 of 3 running, 1 starting, <b>1 failed</b>",
        "2 of 2 running",
        "1 of 3 failures, then it goes back by itself",
        "10 % to new tasks",
        "usually 1 min 35 s",
        "no data",
        "1 new, 2 old",
        "Out of memory",
        "OutOfMemoryError: Container killed",
        "exit code of backend 137",
        "MemoryError",
        "alembic upgrade head",
        "Waiting for its turn",
    ):
        assert said.lower() in text.lower(), said
    assert "More than twice as long as usual" in text


def test_a_look_that_stopped_coming_is_said(production: Environment, operator: User, sign_in: SignIn) -> None:
    change = crafted.deployment(production, operator, "executing", "backend")
    crafted.rolling_out(change)
    client = sign_in(operator)
    assert "Last looked at" not in live(client, change).content.decode()
    part = change.deployment.parts.get()
    assert part.progress_at is not None
    part.progress_at -= crafted.timedelta(minutes=3)
    part.save()
    assert "Last looked at" in live(client, change).content.decode()


def test_what_ecs_did_not_tell_is_no_zero(production: Environment, operator: User, sign_in: SignIn) -> None:
    change = crafted.deployment(production, operator, "executing", "backend")
    change.deployment.parts.update(step="watching", progress={"tasks": [], "new": {}, "old": {}})
    text = live(sign_in(operator), change).content.decode()
    assert "0 of 0" not in text
    assert '<dl class="bars">' not in text


def test_the_bake_counts_down(production: Environment, operator: User, sign_in: SignIn) -> None:
    change = crafted.deployment(production, operator, "verifying", "backend")
    crafted.baking(change)
    text = live(sign_in(operator), change).content.decode()
    assert "the alarms are being watched" in text
    assert "in 3 min" in text
    assert "answered 200 in 41 ms" in text


@pytest.mark.parametrize(
    ("status", "outcome", "says"),
    [
        (
            "failed",
            "rolled_back",
            "backend runs triflow-ai-production-backend:1, as before.",
        ),
        ("regressed", "rolled_back", "Rolled back"),
        ("failed", "rollback_failed", "could not be brought back to triflow-ai-production-backend:1"),
        ("interrupted", "failed", "backend was left on triflow-ai-production-backend:2."),
    ],
)
def test_what_went_wrong_never_reads_as_success(
    production: Environment, operator: User, sign_in: SignIn, status: str, outcome: str, says: str
) -> None:
    change = crafted.deployment(
        production,
        operator,
        status,
        "backend",
        "worker",
        error_kind="tool",
        error_message="It did not come up.",
    )
    crafted.went_wrong(change, outcome, "New tasks kept failing.")
    text = live(sign_in(operator), change).content.decode()
    assert says in text
    assert "Not touched" in text
    assert "New tasks kept failing." in text
    assert "Runs as approved" not in text
    assert "Succeeded" not in text
    first = change.deployment.parts.get(position=0)
    assert progress.verdict(change, first)[0] in ("attention", "failing")


@pytest.mark.parametrize("state", ["executing", "verifying", "failed", "awaiting_approval"])
def test_a_hundred_tasks_cost_no_more_queries(
    production: Environment, operator: User, sign_in: SignIn, state: str
) -> None:
    client = sign_in(operator)
    counts = []
    for names, number in ((("backend",), 1), (("backend", "worker"), 100)):
        change = crafted.deployment(production, operator, state, *names)
        if state == "executing":
            crafted.rolling_out(change, new=number, old=number, most=number)
        if state != "awaiting_approval":
            for part in change.deployment.parts.all():
                for _each in range(number // 20):
                    crafted.evidence_of_a_stop(part)
        for address in (f"/changes/{change.uuid}/", f"/changes/{change.uuid}/live/"):
            client.get(address)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(address).status_code in (200, 286)
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


def test_the_polled_part_is_cheap(production: Environment, operator: User, sign_in: SignIn) -> None:
    """Asked for every second: what it costs is written down, so that it is noticed when it grows."""
    from environments.changes import page

    client = sign_in(operator)
    change = crafted.deployment(production, operator, "executing", "backend", "worker")
    crafted.rolling_out(change, new=50, old=50, most=50)
    stamp = page.stamp(change)
    live(client, change, stamp)
    with CaptureQueriesContext(connection) as queries:
        answer = live(client, change, stamp)
    assert answer.status_code == 200
    assert len(queries) <= 20, [one["sql"][:120] for one in queries.captured_queries]


def test_the_api_says_the_same(production: Environment, operator: User, api: Any) -> None:
    change = crafted.deployment(production, operator, "executing", "backend", "worker")
    crafted.rolling_out(change)
    found = api(operator).get(f"/api/v1/changes/{change.uuid}/").json()["details"]
    first, second = found["services"]
    assert first["step"] == "watching"
    assert first["progress"]["new"]["failed"] == 1
    assert first["stopped_tasks"][0]["diagnosis"]["key"] == "oom"
    assert first["one_off_tasks"][0]["exit_code"] == 0
    assert "Traceback" not in str(found)
    assert second["step"] == "waiting"
    assert found["consequences"] == list(kind_of(change).consequences(change))
