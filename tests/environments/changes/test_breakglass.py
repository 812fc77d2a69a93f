"""One person starts without votes: only the votes are skipped, only for what was read, and everybody hears of it."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse

from environments.actions import grant_role, place_hold, revoke_role
from environments.changes import actions, breakglass, dispatch, policies
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim, Review
from environments.models import Membership
from portal.accounts.actions import deactivate_person
from portal.audit.models import AuditEvent
from portal.core.errors import InvalidInput, NotAllowed, StaleState
from portal.notifications.models import Message
from tests.cast import by, member
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db
KEY = "triflow.production"


@pytest.fixture
def awaiting(fake, production, operator, approver):
    return step(ask_for(production, operator))


def smash(change, user, **options):
    wanted = {"reason": "Customers cannot pay", "confirm_name": KEY, "digest": change.proposal.digest}
    return breakglass.break_glass(by=by(user), change=change, **{**wanted, **options})


def told(event):
    rows = Message.objects.filter(channel="email", dedupe_key__contains=f":{event}:")
    return sorted(row.address.partition("@")[0] for row in rows)


def test_the_requester_alone_starts_it_and_a_review_is_owed(awaiting, operator, fake):
    change = smash(awaiting, operator)
    assert change.status == Status.APPROVED
    assert not Review.objects.exists()
    change = step(change)
    assert (change.status, fake.executed) == (Status.SUCCEEDED, 1)
    assert change.break_glass_by == operator
    review = Review.objects.get(change=change)
    assert (review.reviewed_at, review.due_at > review.owed_since) == (None, True)
    event = AuditEvent.objects.get(action="change.break_glass")
    assert (event.actor_id, event.outcome) == ("operator", "done")
    assert "Customers cannot pay" in str(event.__dict__)


@pytest.mark.parametrize("name", ["viewer", "finance", "auditor", "admin"])
def test_other_roles_may_not_and_that_is_written_down(awaiting, name, request):
    with pytest.raises(NotAllowed):
        smash(awaiting, request.getfixturevalue(name))
    assert fresh(awaiting).status == Status.AWAITING_APPROVAL
    assert AuditEvent.objects.filter(action="change.break_glass", outcome="refused").count() == 1


@pytest.mark.parametrize("name", ["operator2", "approver", "security"])
def test_these_roles_may(awaiting, name, request):
    assert smash(awaiting, request.getfixturevalue(name)).status == Status.APPROVED


def test_it_names_what_was_read_why_and_where(awaiting, operator):
    with pytest.raises(StaleState):
        smash(awaiting, operator, digest="f" * 64)
    with pytest.raises(InvalidInput) as wrong:
        smash(awaiting, operator, reason="  ", confirm_name="triflow.staging")
    assert set(wrong.value.errors) == {"reason", "confirm_name"}
    assert not fresh(awaiting).break_glass


def test_no_name_is_typed_outside_production(fake, staging, operator):
    gates = [{"name": "Approval", "roles": ["approver"], "votes": 1, "when": {"always": True}}]
    policies.put_in_force(staging, gates, "test")
    change = step(ask_for(staging, operator))
    assert change.status == Status.AWAITING_APPROVAL
    assert smash(change, operator, confirm_name="").status == Status.APPROVED


def test_only_while_it_awaits_approval_and_only_once(awaiting, operator, approver):
    smash(awaiting, operator)
    with pytest.raises(StaleState):
        smash(fresh(awaiting), operator)
    done = step(awaiting)
    with pytest.raises(StaleState):
        smash(done, operator)


def test_who_must_approve_is_not_changed_this_way(production, operator, admin, approver):
    change = policies.edit_policy(by=by(admin), environment=production, gates=[], reason="no more votes")
    change = step(change)
    assert change.status == Status.AWAITING_APPROVAL
    with pytest.raises(NotAllowed, match="never changed without"):
        smash(change, operator)


def test_the_message_leaves_only_after_the_commit(
    awaiting, operator, monkeypatch, django_capture_on_commit_callbacks
):
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": sent.append(uuid))
    with django_capture_on_commit_callbacks(execute=True):
        smash(awaiting, operator)
        assert sent == []
    assert sent == [str(awaiting.uuid)]


def test_it_does_not_wait_for_its_time_or_another_press(fake, production, operator, approver):
    change = step(ask_for(production, operator, start="manual"))
    smash(change, operator)
    assert step(change).status == Status.SUCCEEDED


# --- only the votes are skipped --------------------------------------------------------------------


def test_another_proposal_takes_it_back(awaiting, operator, fake):
    smash(awaiting, operator)
    fake.moved, fake.content = "the state moved", "two"
    change = step(awaiting)
    assert (change.status, change.break_glass, fake.executed) == (Status.AWAITING_APPROVAL, False, 0)
    assert step(change).status == Status.AWAITING_APPROVAL
    assert not Review.objects.exists()


def test_the_same_proposal_on_a_moved_base_keeps_it(awaiting, operator, fake):
    smash(awaiting, operator)
    fake.moved = "the state moved"
    change = step(awaiting)
    assert (change.status, change.break_glass, fake.proposed) == (Status.APPROVED, True, 2)
    assert step(change).status == Status.SUCCEEDED


def test_claims_and_holds_are_waited_for(awaiting, operator, fake, production, security):
    smash(awaiting, operator)
    other = step(ask_for(production, operator))
    claim = Claim.objects.create(change=other, subject=f"fake:{KEY}")
    assert step(awaiting).status == Status.APPROVED
    claim.delete()
    hold = place_hold(by=by(security), environment=production, reason="forensics")
    assert step(awaiting).status == Status.APPROVED
    assert fake.executed == 0
    hold.delete()
    assert step(awaiting).status == Status.SUCCEEDED


def test_it_ends_with_the_role(awaiting, operator, admin, fake, tenant):
    smash(awaiting, operator)
    revoke_role(by=by(admin), tenant=tenant, user=operator, role="operator")
    change = step(awaiting)
    assert (change.status, change.break_glass, fake.executed) == (Status.AWAITING_APPROVAL, False, 0)
    # The word does not come back with the role.
    grant_role(by=by(admin), tenant=tenant, user=operator, role="operator")
    assert step(change).status == Status.AWAITING_APPROVAL


def test_it_ends_with_the_person(awaiting, operator, admin, fake):
    smash(awaiting, operator)
    deactivate_person(by=by(admin), person=operator)
    change = fresh(awaiting)
    assert (change.status, change.break_glass) == (Status.AWAITING_APPROVAL, False)
    assert step(change).status == Status.AWAITING_APPROVAL
    assert fake.executed == 0


def test_a_role_withdrawn_between_the_check_and_the_start_stops_it(awaiting, operator, fake, monkeypatch):
    smash(awaiting, operator)

    def meanwhile(change):
        Membership.objects.filter(user=operator).delete()

    monkeypatch.setattr(fake, "base_moved", meanwhile)
    assert step(awaiting).status == Status.APPROVED
    assert fake.executed == 0
    assert step(awaiting).status == Status.AWAITING_APPROVAL
    assert not Review.objects.exists()


def test_a_change_with_its_votes_owes_nothing(awaiting, approver):
    actions.approve(by=by(approver), change=awaiting, digest=awaiting.proposal.digest)
    assert step(awaiting).status == Status.SUCCEEDED
    assert not Review.objects.exists()


# --- loud ------------------------------------------------------------------------------------------


def test_everybody_who_might_have_voted_and_every_admin_is_told(
    awaiting, operator, operator2, tenant, viewer, outsider, auditor, settings
):
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/T0/B0/secret"
    member("boss", tenant, "admin")
    member("chief", tenant, "viewer", is_portal_admin=True)
    member("second", tenant, "approver")
    smash(awaiting, operator2)
    assert told("break_glass") == ["approver", "boss", "chief", "operator", "operator2", "second"]
    message = Message.objects.filter(dedupe_key__contains=":break_glass:", channel="slack").get()
    assert "without approval" in message.subject
    assert "Operator2" in message.subject
    assert "Customers cannot pay" in message.text


def test_pages_lists_and_api_say_so(awaiting, operator, approver, sign_in, api, production):
    smash(awaiting, operator)
    step(awaiting)
    page = sign_in(approver)
    for address in (
        reverse("changes:detail", args=[awaiting.uuid]),
        reverse("changes:live", args=[awaiting.uuid]),
    ):
        text = page.get(address).content.decode()
        assert "Started without approval" in text
        assert "Customers cannot pay" in text
        assert "Operator" in text
    lists = [
        reverse("changes:list"),
        reverse("changes:of_environment", args=["triflow", "production"]),
        reverse("environments:detail", args=["triflow", "production"]),
    ]
    assert all("without approval" in page.get(address).content.decode() for address in lists)
    shown = api(approver).get(f"/api/v1/changes/{awaiting.uuid}/").json()
    assert shown["break_glass"] is True
    assert (shown["emergency"]["by"], shown["emergency"]["reason"]) == ("operator", "Customers cannot pay")
    assert shown["emergency"]["review"]["reviewed_at"] is None
    assert api(approver).get("/api/v1/changes/").json()["results"][0]["break_glass"] is True


# --- page and API ----------------------------------------------------------------------------------


def test_the_page_asks_and_does(awaiting, operator, sign_in):
    address = reverse("changes:break_glass", args=[awaiting.uuid])
    page = sign_in(operator)
    assert reverse("changes:break_glass", args=[awaiting.uuid]) in (
        page.get(reverse("changes:detail", args=[awaiting.uuid])).content.decode()
    )
    form = page.get(address).content.decode()
    assert "Approval: 1 of 1 votes missing" in form
    assert KEY in form
    wrong = page.post(address, {"digest": awaiting.proposal.digest, "reason": "", "confirm_name": "x"})
    assert wrong.status_code == 400
    assert f"Type {KEY}" in wrong.content.decode()
    typed = {"digest": awaiting.proposal.digest, "reason": "Down", "confirm_name": KEY}
    assert page.post(address, {**typed, "digest": "0" * 64}).status_code == 409
    done = page.post(address, typed)
    assert (done.status_code, done.url) == (302, reverse("changes:detail", args=[awaiting.uuid]))
    assert fresh(awaiting).break_glass
    assert page.post(address, typed).status_code == 409
    assert page.put(address).status_code == 405


def test_the_page_is_closed_to_others(awaiting, viewer, outsider, sign_in, client):
    address = reverse("changes:break_glass", args=[awaiting.uuid])
    typed = {"digest": awaiting.proposal.digest, "reason": "Down", "confirm_name": KEY}
    assert client.post(address, typed).status_code == 302
    assert sign_in(outsider).post(address, typed).status_code == 404
    assert sign_in(viewer).post(address, typed).status_code == 403
    page = sign_in(viewer)
    assert "one of these roles" in page.get(address).content.decode()
    assert "break-glass" not in page.get(reverse("changes:detail", args=[awaiting.uuid])).content.decode()
    assert not fresh(awaiting).break_glass


def test_the_api_wants_a_person_who_signed_in(awaiting, operator, outsider, api, sign_in):
    address = f"/api/v1/changes/{awaiting.uuid}/break-glass/"
    typed = {"digest": awaiting.proposal.digest, "reason": "Down", "confirm_name": KEY}
    assert api(outsider).post(address, typed, format="json").status_code == 404
    refused = api(operator).post(address, typed, format="json")
    assert refused.status_code == 403
    assert "token" in refused.json()["detail"]
    assert not fresh(awaiting).break_glass
    done = sign_in(operator).post(address, typed, content_type="application/json")
    assert done.status_code == 200, done.content
    assert done.json()["emergency"]["reason"] == "Down"


def test_nothing_is_left_when_the_record_cannot_be_written(awaiting, operator, monkeypatch):
    def full(*args, **values):
        raise OSError("disk full")

    monkeypatch.setattr(breakglass, "dispatch", full)
    before = Message.objects.count()
    with pytest.raises(OSError, match="disk full"), transaction.atomic():
        smash(awaiting, operator)
    assert Change.objects.get(pk=awaiting.pk).status == Status.AWAITING_APPROVAL
    assert Message.objects.count() == before


def test_another_role_that_is_left_does_not_count(awaiting, operator, fake, tenant):
    change = smash(awaiting, operator)
    Membership.objects.create(user=operator, tenant=tenant, role="viewer")
    Membership.objects.filter(user=operator, role="operator").delete()
    assert step(change).status == Status.AWAITING_APPROVAL
    assert fake.executed == 0
