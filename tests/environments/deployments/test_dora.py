"""The four figures of delivery, from known rows: what counts, what does not, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from environments.deployments.history import figures, plots, rows
from environments.deployments.history.dora import Dora
from environments.deployments.models import DeploymentPart
from environments.models import Environment
from portal.accounts.models import User
from tests.environments.deployments import crafted

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def deploy(
    production: Environment, by: User, ago: timedelta, state: str = "succeeded", **fields: Any
) -> DeploymentPart:
    """One deployment of backend that ended so long before NOW; the image was pushed two hours before its end."""
    outcome = fields.pop("outcome", "succeeded" if state == "succeeded" else "")
    number = fields.pop("number", 1)
    image = fields.pop("image", {"pushed_at": (NOW - ago - 2 * HOUR).isoformat()})
    change = crafted.deployment(
        production,
        by,
        state,
        fields.pop("service", "backend"),
        digest=digest(number),
        image=image,
        ended=NOW - ago,
        **fields,
    )
    part: DeploymentPart = change.deployment.parts.get()
    part.outcome = outcome
    part.save()
    return part


def measured(production: Environment, days: int = 30, now: datetime = NOW) -> Dora:
    return figures.measured(rows.of_environment(production), days, now)


def test_nothing_deployed_is_not_known(production: Environment) -> None:
    found = measured(production)
    assert (found.per_week, found.lead_seconds, found.failure_rate, found.restore_seconds) == (None,) * 4
    assert [one.value for one in figures.figures(found, 30)] == ["not known"] * 4
    plain = figures.plain(found, 30)
    assert plain["deployments"] is None
    assert plain["failures"] is None


def test_a_month_without_deployments_is_none_after_there_were_some(
    production: Environment, operator: User
) -> None:
    deploy(production, operator, timedelta(days=60))
    found = measured(production)
    assert found.per_week == 0
    assert found.failure_rate is None
    assert [one.value for one in figures.figures(found, 30)] == ["0 deployments", *["not known"] * 3]


def test_frequency_counts_what_came_through_since_anything_is_recorded(
    production: Environment, operator: User
) -> None:
    for day in (1, 3, 5, 7):
        deploy(production, operator, timedelta(days=day), number=day)
    found = measured(production)
    # Recorded for 7 days and a quarter of an hour, not for 30: four in a week are four a week.
    assert round(found.per_week or 0, 1) == 4.0


def test_what_deploys_nothing_does_not_count(production: Environment, operator: User) -> None:
    deploy(production, operator, timedelta(days=2))
    for act in ("restart", "scale"):
        deploy(production, operator, timedelta(days=1), act=act, number=2)
    deploy(production, operator, timedelta(days=1), "rejected", number=3)
    deploy(production, operator, timedelta(days=1), "failed", number=4, outcome="untouched")
    found = measured(production)
    assert (len(found.successes), found.attempts, found.failure_rate) == (1, 1, 0)


def test_lead_time_is_the_images_age_at_its_first_success(production: Environment, operator: User) -> None:
    labels = {"org.opencontainers.image.created": (NOW - timedelta(days=3) - 5 * HOUR).isoformat()}
    pushed = (NOW - timedelta(days=3) - 1 * HOUR).isoformat()
    deploy(production, operator, timedelta(days=3), number=1, image={"labels": labels, "pushed_at": pushed})
    deploy(production, operator, timedelta(days=2), number=2)
    # The same image once more delivers nothing new; one whose age nobody knows counts from its request.
    deploy(production, operator, timedelta(days=1), number=1)
    deploy(production, operator, timedelta(hours=1), number=3, image={})
    found = measured(production)
    assert [(one.seconds, one.source) for one in found.lead_times] == [
        (5 * 3600, "created"),
        (2 * 3600, "pushed"),
        (14 * 60, "requested"),
    ]
    assert found.lead_seconds == 2 * 3600
    note = figures.figures(found, 30)[1].note
    assert "1 by the image's label, 1 by its push, 1 only from the first request" in note


def test_an_image_that_came_into_force_before_the_time_shown_is_not_new(
    production: Environment, operator: User
) -> None:
    deploy(production, operator, timedelta(days=80), number=1)
    deploy(production, operator, timedelta(days=1), number=1)
    assert measured(production).lead_times == []
    assert len(measured(production, 90).lead_times) == 1


def test_a_failure_is_what_did_not_come_through_or_was_rolled_back(
    production: Environment, operator: User
) -> None:
    deploy(production, operator, timedelta(days=9), number=1)
    deploy(
        production,
        operator,
        timedelta(days=8),
        "failed",
        number=2,
        outcome="rolled_back",
        took=30 * timedelta(minutes=1),
    )
    deploy(production, operator, timedelta(days=7), number=3)
    deploy(production, operator, timedelta(days=7) - 3 * HOUR, act="rollback", number=1)
    found = measured(production)
    assert (found.attempts, len(found.failures)) == (3, 2)
    assert round(found.failure_rate or 0, 3) == 0.667
    assert [(one.seconds, one.source) for one in found.restores] == [
        (1800, "rolled_back"),
        (3 * 3600, "rollback"),
    ]
    assert found.restore_seconds == (1800 + 3 * 3600) / 2


def test_a_rollback_undoes_what_came_into_force_before_the_time_shown(
    production: Environment, operator: User
) -> None:
    deploy(production, operator, timedelta(days=31), number=1)
    deploy(production, operator, timedelta(days=29), act="rollback", number=9)
    found = measured(production)
    assert [one.seconds for one in found.restores] == [2 * 24 * 3600]
    # It failed before the time shown: it counts there, not here.
    assert found.failures == []


def test_what_is_still_broken_is_said_and_not_averaged(production: Environment, operator: User) -> None:
    deploy(production, operator, timedelta(days=2), "failed", number=1, outcome="rollback_failed")
    found = measured(production)
    assert found.restore_seconds is None
    assert len(found.unrestored) == 1
    assert "1 is not restored yet" in figures.figures(found, 30)[3].note
    deploy(production, operator, timedelta(days=2) - 4 * HOUR, number=2)
    found = measured(production)
    assert found.unrestored == []
    assert found.restore_seconds == 4 * 3600 + 4 * 60


def test_services_do_not_restore_each_other(production: Environment, operator: User) -> None:
    deploy(production, operator, timedelta(days=2), "failed", number=1, outcome="rollback_failed")
    deploy(production, operator, timedelta(days=1), number=2, service="worker")
    assert len(measured(production).unrestored) == 1
    own = rows.of_service(production, crafted.service_arn("worker"))
    assert figures.measured(own, 30, NOW).failures == []


def test_another_environments_deployments_do_not_count(production: Environment, operator: User) -> None:
    other = Environment.objects.create(tenant=production.tenant, slug="other", name="other")
    deploy(other, operator, timedelta(days=1))
    assert measured(production).recorded_since is None


def test_plots_say_what_the_table_says(production: Environment, operator: User) -> None:
    for day in (1, 2, 20):
        deploy(production, operator, timedelta(days=day), number=day)
    deploy(production, operator, timedelta(days=2), "failed", number=50, outcome="rolled_back")
    found = measured(production)
    plot = plots.deployments(found)
    assert plot.highest == "3"
    assert sum(mark.tone == "bad" for mark in plot.marks) == 1
    assert max(mark.height for mark in plot.marks) == 36.0
    assert all(mark.y >= plots.TOP and mark.y + mark.height <= plots.BOTTOM + 0.1 for mark in plot.marks)
    assert len(plot.rows) == plots.BUCKETS
    assert "2 came through, 1 went wrong" in [what for _when, what in plot.rows]
    dots = plots.times(found, found.lead_times, "Lead times")
    assert len(dots.rows) == len(dots.marks) == len(found.lead_times) == 3
    assert all(0 <= mark.x <= plots.WIDTH and plots.TOP <= mark.y <= plots.BOTTOM for mark in dots.marks)


@pytest.mark.parametrize("text", ["", "not a date", "2026-11-20", "2026-02-31T00:00:00Z", None, 5])
def test_a_label_that_is_no_moment_is_not_known(text: Any) -> None:
    from environments.deployments.history.facts import CREATED, built

    assert built({"labels": {CREATED: text}, "pushed_at": text}) == (None, "")


def test_more_deployments_cost_no_more_queries(production: Environment, operator: User) -> None:
    deploy(production, operator, timedelta(days=1))
    with CaptureQueriesContext(connection) as few:
        measured(production)
    for number in range(12):
        deploy(production, operator, timedelta(days=2 + number), number=number, service="worker")
    with CaptureQueriesContext(connection) as many:
        measured(production)
    assert len(few) == len(many)
