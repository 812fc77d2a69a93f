"""Counted on a clock of our own: nothing here sleeps."""

import threading
from types import SimpleNamespace

import pytest

from portal.aws import limits
from portal.aws.limits import TokenBucket
from portal.aws.sessions import AccountAccess


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    time = Time()
    bucket = TokenBucket(5, 10, clock=time.clock, sleep=time.sleep)
    assert [bucket.take() for _ in range(10)] == [0.0] * 10
    for _ in range(50):
        bucket.take()
    assert time.slept == pytest.approx(10.0)


def test_a_rest_fills_the_bucket_but_not_beyond_its_burst() -> None:
    time = Time()
    bucket = TokenBucket(1, 3, clock=time.clock, sleep=time.sleep)
    for _ in range(3):
        bucket.take()
    time.now += 3600
    assert [bucket.take() for _ in range(3)] == [0.0] * 3
    assert bucket.take() == pytest.approx(1.0)


def test_those_who_wait_stand_in_line() -> None:
    time, waits = Time(), []
    bucket = TokenBucket(2, 1, clock=time.clock, sleep=waits.append)
    threads = [threading.Thread(target=bucket.take) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0.5 * place for place in range(1, 9)]


def test_an_account_does_not_slow_another() -> None:
    one = limits.bucket("111111111111", "eu-west-1", "rds")
    assert one is limits.bucket("111111111111", "eu-west-1", "rds")
    assert one is not limits.bucket("222222222222", "eu-west-1", "rds")
    assert one is not limits.bucket("111111111111", "us-east-1", "rds")
    assert (one.rate, limits.bucket("1", "x", "unheard-of").rate) == (5, limits.LIMITS["default"][0])


def test_every_request_of_a_client_takes_from_its_bucket(
    access: AccountAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def bucket(*name: str) -> SimpleNamespace:
        return SimpleNamespace(take=lambda: taken.append(name))

    monkeypatch.setattr(limits, "bucket", bucket)
    access.client("ecs").list_clusters()
    access.client("ecs").register_task_definition(
        family="web", containerDefinitions=[{"name": "web", "image": "x", "memory": 128}]
    )
    assert taken == [
        ("portal", "ap-northeast-2", "sts"),
        ("333333333333", "ap-northeast-2", "ecs"),
        ("333333333333", "ap-northeast-2", "ecs.RegisterTaskDefinition"),
    ]
