"""ECS's calls in batches and pages, and what a region that lacks one is taken for."""

from __future__ import annotations

from typing import Any

import pytest

from portal.aws import ecs, logs
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from portal.aws.task_definitions import fingerprint, registrable

ACCESS = AccountAccess("sandbox", "1" * 12, "arn:role", "", "eu-west-1", "http://127.0.0.1:1")


class Answers:
    """Plays `call`: answers in turn, and remembers what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    def __call__(self, access: Any, service: str, operation: str, /, **asked: Any) -> Any:
        self.asked.append(asked)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def refusal(code: str) -> AwsError:
    return AwsError("no", code=code, permanent=True)


def test_so_many_in_one_call_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for ask, key, name, most in (
        (ecs.describe_services, "services", "services", 10),
        (ecs.describe_tasks, "tasks", "tasks", 100),
    ):
        played = Answers(*({key: [{"n": number}]} for number in range(3)))
        monkeypatch.setattr(ecs, "call", played)
        assert len(ask(ACCESS, "c", [str(number) for number in range(2 * most + 1)])) == 3
        assert [len(asked[name]) for asked in played.asked] == [most, most, 1]


def test_service_deployments_are_paged_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Answers({"serviceDeployments": [1, 2], "nextToken": "more"}, {"serviceDeployments": [3, 4]})
    monkeypatch.setattr(ecs, "call", played)
    assert ecs.list_service_deployments(ACCESS, "c", "s", 3) == [1, 2, 3]
    assert [asked.get("nextToken") for asked in played.asked] == [None, "more"]


@pytest.mark.parametrize("code", sorted(ecs.UNSUPPORTED))
def test_a_region_without_service_deployments_knows_of_none(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(ecs, "call", Answers(*[refusal(code)] * 3))
    assert ecs.list_service_deployments(ACCESS, "c", "s", 5) == []
    assert ecs.describe_service_deployments(ACCESS, ["arn"]) == []
    assert ecs.describe_service_revisions(ACCESS, ["arn"]) == []


def test_another_refusal_is_none_of_that(monkeypatch: pytest.MonkeyPatch) -> None:
    for ask in (
        lambda: ecs.list_service_deployments(ACCESS, "c", "s", 5),
        lambda: ecs.describe_service_deployments(ACCESS, ["arn"]),
    ):
        monkeypatch.setattr(ecs, "call", Answers(refusal("AccessDeniedException")))
        with pytest.raises(AwsError):
            ask()


def test_a_task_that_finds_no_place_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = {"arn": "x", "reason": "RESOURCE:MEMORY", "detail": "no host has 8 GB"}
    monkeypatch.setattr(ecs, "call", Answers({"tasks": [], "failures": [failure]}))
    with pytest.raises(AwsError, match="no host has 8 GB") as caught:
        ecs.run_task(ACCESS, taskDefinition="f:1")
    assert (caught.value.code, caught.value.permanent) == ("RESOURCE:MEMORY", False)


def test_two_definitions_that_say_the_same_have_one_fingerprint() -> None:
    one = {
        "family": "f",
        "containerDefinitions": [{"name": "a", "environment": [{"name": "X", "value": ""}]}],
    }
    described = {**one, "revision": 7, "status": "ACTIVE", "registeredBy": "me", "volumes": [], "tags": []}
    assert registrable(described) == {**one, "volumes": [], "tags": []}
    assert fingerprint(described) == fingerprint(one)
    without = {"family": "f", "containerDefinitions": [{"name": "a", "environment": []}]}
    assert fingerprint(without) != fingerprint(one)


def test_a_stream_that_nothing_was_written_to_has_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "call", Answers(refusal("ResourceNotFoundException")))
    assert logs.tail(ACCESS, "group", "stream") == []
    monkeypatch.setattr(logs, "call", Answers(refusal("AccessDeniedException")))
    with pytest.raises(AwsError):
        logs.tail(ACCESS, "group", "stream")
