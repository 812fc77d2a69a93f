"""The measures of `script/bench deploy`, by their counts: the clock is virtual, so no machine is too slow for them."""

from __future__ import annotations

import pytest

from portal.aws import limits
from tests.benchmarks import deploy

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("scene", deploy.SCENES)
def test_following_costs_half_of_the_usual_loop_at_most(scene: str) -> None:
    rollout, desired = deploy.SCENES[scene]
    found = deploy.ten_minutes(rollout, desired)
    assert found.ratio <= deploy.MOST, found
    # Seldom looking at all would be cheap too: at no time it goes unseen for a minute.
    assert found.calls > 40


def test_fifty_at_once_stay_inside_the_limits_of_ecs() -> None:
    found = deploy.at_once(takes=20.0)
    assert (found.throttled, found.failed) == (0, 0), found
    assert found.seconds < 600


def test_without_our_own_limits_ecs_would_say_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.TokenBucket, "take", lambda bucket: 0.0)
    assert deploy.at_once(takes=20.0, until=10.0).throttled > 0
