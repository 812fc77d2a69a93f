"""Alarms are asked for by the hundred, of every type; one that is not there is absent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.aws import alarms
from portal.aws.sessions import AccountAccess

AWS = AccountAccess("aws", "123456789012", "arn:aws:iam::123456789012:role/portal", "", "ap-northeast-2")
BEFORE, AFTER = datetime(2026, 11, 20, 3, tzinfo=UTC), datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    def pages(
        access: AccountAccess, service: str, operation: str, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        assert (service, operation) == ("cloudwatch", "describe_alarms")
        calls.append(parameters)
        there = [name for name in parameters["AlarmNames"] if name != "gone"]
        row = {"StateReason": "", "StateUpdatedTimestamp": AFTER, "StateTransitionedTimestamp": BEFORE}
        yield {"MetricAlarms": [{"AlarmName": name, "StateValue": "OK", **row} for name in there[:2]]}
        yield {"CompositeAlarms": [{"AlarmName": name, "StateValue": "ALARM", **row} for name in there[2:]]}

    monkeypatch.setattr(alarms, "pages", pages)
    return calls


def test_a_hundred_names_a_call_each_once_and_of_every_type(asked: list[dict[str, Any]]) -> None:
    names = [f"a-{number:03}" for number in range(205)]
    found = alarms.states(AWS, [*names, *names])
    assert sorted(found) == names
    assert [len(call["AlarmNames"]) for call in asked] == [100, 100, 5]
    assert set(asked[0]["AlarmTypes"]) == {"MetricAlarm", "CompositeAlarm", "LogAlarm"}


def test_since_is_when_the_state_changed_not_when_its_words_did(asked: list[dict[str, Any]]) -> None:
    found = alarms.states(AWS, ["one", "gone", "two", "whole"])
    assert "gone" not in found
    assert found["whole"] == alarms.AlarmState("whole", "ALARM", "", BEFORE)


def test_nothing_is_asked_for_no_names(asked: list[dict[str, Any]]) -> None:
    assert alarms.states(AWS, []) == {}
    assert asked == []
