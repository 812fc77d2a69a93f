"""The review that a start without votes owes: when, to whom, by whom, and what stands still while it is overdue."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from environments.changes import actions, breakglass, claims, dispatch, inbox, reviews
from environments.changes.lifecycle import Status
from environments.changes.models import Review
from environments.models import Environment
from portal.audit.models import AuditEvent
from portal.core.errors import InvalidInput, NotAllowed, StaleState
from portal.notifications.models import Message
from tests.cast import by, member
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db
SEOUL = ZoneInfo("Asia/Seoul")


def seoul(day, hour, minute=0):
    """November 2026: the 2nd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SEOUL)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (seoul(2, 9), seoul(4, 9)),  # Monday -> Wednesday
        (seoul(4, 23, 59), seoul(6, 23, 59)),  # Wednesday -> Friday
        (seoul(5, 15), seoul(9, 15)),  # Thursday -> Monday
        (seoul(6, 15), seoul(10, 15)),  # Friday -> Tuesday
        (seoul(7, 3), seoul(11, 0)),  # Saturday -> the end of Tuesday
        (seoul(8, 23, 59), seoul(11, 0)),  # Sunday -> the end of Tuesday
        (seoul(9, 0), seoul(11, 0)),  # Monday 00:00 -> Wednesday 00:00
    ],
)
def test_two_working_days(start, due):
    assert reviews.due_after(start) == due
    assert reviews.due_after(start.astimezone(ZoneInfo("UTC"))) == due


def test_the_weekday_is_that_of_the_portals_zone():
    # Friday 16:00 UTC is Saturday in Seoul.
    start = datetime(2026, 11, 6, 16, tzinfo=ZoneInfo("UTC"))
    assert reviews.due_after(start) == seoul(11, 0)
    assert reviews.due_after(start, zone="UTC") == start + timedelta(days=4)


@pytest.fixture
def broken(fake, production, operator, operator2, approver):
    """Requested by operator, started without votes by operator2, done."""
    change = step(ask_for(production, operator))
    breakglass.break_glass(
        by=by(operator2),
        change=change,
        digest=change.proposal.digest,
        reason="Customers cannot pay",
        confirm_name="triflow.production",
    )
    return step(change)


@pytest.fixture
def overdue(broken):
    Review.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    return broken


def settle(change, user, **options):
    wanted = {"verdict": "fine", "comment": "I read the log", **options}
    return breakglass.review(by=by(user), change=change, **wanted)


def approved(environment, operator, approver, **options):
    change = step(ask_for(environment, operator, **options))
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    return fresh(change)


# --- who -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["approver", "security", "finance", "auditor", "admin"])
def test_somebody_else_reviews_it(broken, name, request):
    user = request.getfixturevalue(name)
    settle(broken, user, verdict="concern", comment="It could have waited")
    review = Review.objects.get()
    assert (review.reviewed_by, review.verdict, review.comment) == (user, "concern", "It could have waited")
    event = AuditEvent.objects.get(action="change.review")
    assert (event.actor_id, event.outcome) == (name, "done")


@pytest.mark.parametrize("name", ["viewer", "operator", "operator2"])
def test_others_may_not(broken, name, request):
    with pytest.raises(NotAllowed):
        settle(broken, request.getfixturevalue(name))
    assert Review.objects.get().reviewed_at is None
    assert AuditEvent.objects.filter(action="change.review", outcome="refused").count() == 1


@pytest.mark.parametrize("who", ["breaker", "requester"])
def test_neither_who_started_it_nor_who_asked_for_it_whatever_their_roles(fake, production, tenant, who):
    both = member("both", tenant, "operator", "approver", "admin")
    other = member("other", tenant, "operator", "approver")
    requester, breaker = (both, other) if who == "requester" else (other, both)
    change = step(ask_for(production, requester))
    digest = change.proposal.digest
    breakglass.break_glass(
        by=by(breaker), change=change, digest=digest, reason="Down", confirm_name="triflow.production"
    )
    step(change)
    with pytest.raises(NotAllowed, match="Somebody else"):
        settle(fresh(change), both)
    assert reviews.count(both) == 0


def test_once_with_words_and_only_what_is_owed(broken, approver, auditor, production, operator):
    with pytest.raises(InvalidInput) as wrong:
        settle(broken, approver, verdict="splendid", comment=" ")
    assert set(wrong.value.errors) == {"verdict", "comment"}
    plain = approved(production, operator, approver)
    with pytest.raises(StaleState, match="No review is owed"):
        settle(plain, approver)
    settle(broken, approver)
    with pytest.raises(StaleState, match="reviewed it already"):
        settle(broken, auditor)
    assert Review.objects.get().reviewed_by == approver


def test_who_started_it_hears_of_the_verdict(broken, approver):
    settle(broken, approver, comment="Right call")
    rows = Message.objects.filter(dedupe_key__contains=":reviewed:", channel="email")
    assert {"operator@example.com", "operator2@example.com"} <= {row.address for row in rows}
    assert "Right call" in rows[0].text


# --- shown -----------------------------------------------------------------------------------------


def test_it_waits_in_the_inbox_of_those_who_may_settle_it(
    broken, approver, operator, operator2, viewer, outsider
):
    chief = member("chief", broken.environment.tenant, "viewer", is_portal_admin=True)
    for user, owed in ((approver, 1), (chief, 1), (operator, 0), (operator2, 0), (viewer, 0), (outsider, 0)):
        found = list(reviews.needs(user))
        assert (len(found), reviews.count(user)) == (owed, owed), user
    assert next(iter(reviews.needs(approver))).state == "attention"
    Review.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    need = next(iter(reviews.needs(approver)))
    assert (need.state, "Overdue" in need.detail) == ("failing", True)
    settle(broken, approver)
    assert list(reviews.needs(approver)) == []


def test_the_number_in_the_frame_counts_it(broken, approver, sign_in):
    from environments.registry import registry

    assert registry.inbox_count(approver) == inbox.count(approver) + 1
    page = sign_in(approver).get(reverse("overview:inbox")).content.decode()
    assert "Review owed" in page
    assert "Customers cannot pay" in page


def test_pages_show_the_debt_until_it_is_settled(overdue, approver, viewer, operator, sign_in, production):
    page = sign_in(operator)
    here = reverse("environments:detail", args=["triflow", "production"])
    change = reverse("changes:detail", args=[overdue.uuid])
    assert "a review is owed" in page.get(here).content.decode()
    assert "Its review is overdue" in page.get(change).content.decode()
    assert "review owed" in page.get(reverse("overview:home")).content.decode()
    settle(overdue, approver, comment="I read the log")
    assert "a review is owed" not in page.get(here).content.decode()
    assert "Reviewed by Approver: It was right." in page.get(change).content.decode()
    assert "review owed" not in page.get(reverse("overview:home")).content.decode()


# --- what it stops ---------------------------------------------------------------------------------


def test_an_overdue_review_stops_the_next_ordinary_change_until_it_is_made(
    overdue,
    fake,
    production,
    operator,
    approver,
    api,
    sign_in,
    monkeypatch,
    django_capture_on_commit_callbacks,
):
    executed = fake.executed
    change = approved(production, operator, approver)
    assert step(change).status == Status.APPROVED
    assert fake.executed == executed
    waiting = claims.waiting_for(fresh(change))
    assert (waiting.change, "overdue" in waiting.text) == (overdue, True)
    answer = api(approver).get(f"/api/v1/changes/{change.uuid}/").json()
    assert answer["waiting_for"]["change"] == answer["debt"]["change"] == str(overdue.uuid)
    page = sign_in(operator).get(reverse("changes:detail", args=[change.uuid])).content.decode()
    assert "Waits for the review of" in page
    assert reverse("changes:detail", args=[overdue.uuid]) in page
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": sent.append(uuid))
    with django_capture_on_commit_callbacks(execute=True):
        settle(overdue, approver)
        assert sent == []
    assert sent == [str(change.uuid)]
    assert step(change).status == Status.SUCCEEDED


def test_a_review_that_is_not_due_yet_stops_nothing(broken, production, operator, approver, api):
    change = approved(production, operator, approver)
    assert api(operator).get(f"/api/v1/changes/{change.uuid}/").json()["debt"] is None
    assert step(change).status == Status.SUCCEEDED


def test_the_request_says_so_before_anybody_votes(overdue, production, operator, approver, api, sign_in):
    change = step(ask_for(production, operator))
    assert change.status == Status.AWAITING_APPROVAL
    page = sign_in(operator).get(reverse("changes:detail", args=[change.uuid])).content.decode()
    assert "Its start will wait" in page
    assert api(operator).get(f"/api/v1/changes/{change.uuid}/").json()["debt"]["title"] == overdue.title


def test_emergencies_and_rollbacks_do_not_wait_for_it(overdue, production, operator, operator2, approver):
    waits = approved(production, operator, approver)
    rollback = approved(production, operator, approver, priority=-10)
    urgent = step(ask_for(production, operator))
    digest = urgent.proposal.digest
    breakglass.break_glass(
        by=by(operator2), change=urgent, digest=digest, reason="Again", confirm_name="triflow.production"
    )
    # Nor do they stand in line behind the one that waits for the review.
    assert step(rollback).status == Status.SUCCEEDED
    assert step(urgent).status == Status.SUCCEEDED
    assert step(waits).status == Status.APPROVED


def test_other_environments_do_not_wait_for_it(overdue, staging, operator):
    assert reviews.stopping(ask_for(staging, operator)) is None
    assert step(step(ask_for(staging, operator))).status == Status.SUCCEEDED
    other = Environment.objects.create(tenant=staging.tenant, slug="dev", name="dev")
    assert step(step(ask_for(other, operator))).status == Status.SUCCEEDED


# --- page and API ----------------------------------------------------------------------------------


def test_the_page_asks_and_does(broken, approver, sign_in):
    page, address = sign_in(approver), reverse("changes:review", args=[broken.uuid])
    assert address in page.get(reverse("changes:detail", args=[broken.uuid])).content.decode()
    assert "Customers cannot pay" in page.get(address).content.decode()
    assert page.post(address, {"verdict": "", "comment": ""}).status_code == 400
    typed = {"verdict": "fine", "comment": "I read the log"}
    assert page.post(address, typed).status_code == 302
    assert Review.objects.get().reviewed_by == approver
    assert page.post(address, typed).status_code == 409
    assert page.delete(address).status_code == 405


def test_page_and_api_are_closed_to_others(broken, viewer, outsider, approver, sign_in, client, api):
    typed = {"verdict": "fine", "comment": "I read the log"}
    page, machine = reverse("changes:review", args=[broken.uuid]), f"/api/v1/changes/{broken.uuid}/review/"
    assert client.post(page, typed).status_code == 302
    assert client.post(machine, typed).status_code == 401
    assert sign_in(outsider).post(page, typed).status_code == 404
    assert api(outsider).post(machine, typed, format="json").status_code == 404
    assert sign_in(viewer).post(page, typed).status_code == 403
    assert api(viewer).post(machine, typed, format="json").status_code == 403
    assert api(approver).post(machine, {"verdict": "x", "comment": ""}, format="json").status_code == 400
    assert Review.objects.get().reviewed_at is None
    done = api(approver).post(machine, typed, format="json")
    assert (done.status_code, done.json()["emergency"]["review"]["reviewed_by"]) == (200, "approver")
