"""A person who leaves: sessions, tokens and open votes end at once; what they asked for stays and says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from environments.actions import revoke_role
from environments.changes import actions
from environments.changes.lifecycle import Status
from environments.changes.models import ApprovalPolicy, Vote
from environments.models import Membership, Role, Tenant
from environments.permissions import roles_of
from portal.accounts.actions import (
    create_token,
    deactivate_person,
    reactivate_person,
    reset_password,
    update_person,
)
from portal.audit.models import AuditEvent
from portal.core.errors import NotAllowed
from tests.cast import by, member
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db

TWO = [{"name": "Approval", "roles": ["approver"], "votes": 2, "when": {"always": True}}]


def leave(admin, user):
    return deactivate_person(by=by(admin), person=user)


def vote(change, user):
    actions.approve(by=by(user), change=change, digest=change.proposal.digest)
    return fresh(change)


@pytest.fixture
def awaiting(fake, production, operator, approver, admin):
    return step(ask_for(production, operator, start="manual"))


# --- sessions and tokens ---------------------------------------------------------------------------


def test_an_open_session_ends_at_the_very_next_request(awaiting, approver, admin, sign_in):
    page = sign_in(approver)
    here = reverse("changes:detail", args=[awaiting.uuid])
    asked = reverse("changes:act", args=[awaiting.uuid, "approve"])
    assert page.get(here).status_code == 200
    leave(admin, approver)
    typed = {"digest": awaiting.proposal.digest}
    for answer in (page.get(here), page.post(asked, typed), page.get(reverse("overview:home"))):
        assert (answer.status_code, answer.url.startswith("/accounts/sign-in/")) == (302, True)
    fragment = page.get(reverse("changes:live", args=[awaiting.uuid]), headers={"HX-Request": "true"})
    assert "/accounts/sign-in/" in fragment.headers["HX-Redirect"]
    assert fragment.content == b""
    # The API takes the pages' session too.
    assert page.get("/api/v1/changes/").status_code == 401
    assert page.post(f"/api/v1/changes/{awaiting.uuid}/approve/", typed).status_code == 401
    assert not Vote.objects.exists()


def test_their_tokens_end_at_once_and_do_not_come_back(awaiting, approver, admin, api):
    client = api(approver)
    address = f"/api/v1/changes/{awaiting.uuid}/approve/"
    assert client.get("/api/v1/changes/").status_code == 200
    leave(admin, approver)
    assert client.get("/api/v1/changes/").status_code == 401
    assert client.post(address, {"digest": awaiting.proposal.digest}, format="json").status_code == 401
    reactivate_person(by=by(admin), person=approver)
    assert client.get("/api/v1/changes/").status_code == 401


def test_the_state_backend_knows_them_no_more(production, admin, tenant, client):
    import base64

    keeper = member("keeper", tenant, Role.ADMIN)
    _row, plain = create_token(by=by(keeper), name="cli")
    words = base64.b64encode(f"keeper:{plain}".encode()).decode()
    address = reverse("runs:state_backend", args=["triflow", "production"])
    assert client.get(address, headers={"authorization": f"Basic {words}"}).status_code == 204
    leave(admin, keeper)
    assert client.get(address, headers={"authorization": f"Basic {words}"}).status_code == 401


def test_a_reset_password_ends_the_sessions_and_a_demotion_the_administration(
    admin, tenant, sign_in, api, approver
):
    chief = member("chief", tenant, Role.ADMIN, is_portal_admin=True)
    page, token = sign_in(chief), api(chief)
    people = reverse("accounts:people")
    assert page.get(people).status_code == 200
    assert token.post("/api/v1/tenants/", {"slug": "x", "name": "X"}, format="json").status_code == 201
    facts = {"display_name": "Chief", "email": "", "time_zone": "", "is_portal_admin": False}
    update_person(by=by(admin), person=chief, **facts)
    # The session goes on, without the administration: page, API and other tenants.
    assert page.get(people).status_code == 403
    assert token.post("/api/v1/tenants/", {"slug": "y", "name": "Y"}, format="json").status_code == 403
    assert page.get(reverse("environments:tenant", args=["x"])).status_code == 404
    assert roles_of(fresh_user(chief), Tenant.objects.get(slug="x")) == frozenset()
    assert page.get(reverse("environments:tenant", args=["triflow"])).status_code == 200
    reset_password(by=by(admin), person=chief)
    assert page.get(reverse("overview:home")).status_code == 302


def fresh_user(user):
    return type(user).objects.get(pk=user.pk)


# --- votes -----------------------------------------------------------------------------------------


def test_their_vote_on_an_approved_change_ends_and_it_asks_again(awaiting, approver, admin, fake, operator):
    change = vote(awaiting, approver)
    assert change.status == Status.APPROVED
    leave(admin, approver)
    change = fresh(change)
    assert change.status == Status.AWAITING_APPROVAL
    assert Vote.objects.get().withdrawn_at is not None
    assert step(change).status == Status.AWAITING_APPROVAL
    event = AuditEvent.objects.get(action="change.withdraw")
    assert (event.actor_id, event.after["voter"]) == ("admin", "approver")
    # It does not count again when they come back.
    reactivate_person(by=by(admin), person=approver)
    assert step(change).status == Status.AWAITING_APPROVAL
    assert fake.executed == 0


def test_their_vote_among_others_on_a_waiting_change_ends_too(awaiting, approver, admin, tenant, production):
    ApprovalPolicy.objects.create(environment=production, number=1, gates=TWO, author="test")
    second = member("second", tenant, "approver")
    third = member("third", tenant, "approver")
    vote(awaiting, approver)
    leave(admin, approver)
    assert vote(awaiting, second).status == Status.AWAITING_APPROVAL
    assert vote(awaiting, third).status == Status.APPROVED


def test_votes_on_two_proposals_of_one_change_are_one_departure(awaiting, approver, admin, fake):
    """A vote on the first proposal stands beside the one on the second: the change is met twice."""
    vote(awaiting, approver)
    actions.start(by=by(awaiting.requested_by), change=fresh(awaiting))
    fake.moved, fake.content = "the state moved", "two"
    change = step(fresh(awaiting))
    assert change.status == Status.AWAITING_APPROVAL
    assert vote(change, approver).status == Status.APPROVED
    assert Vote.objects.standing().count() == 2
    leave(admin, approver)
    assert fresh(change).status == Status.AWAITING_APPROVAL
    assert Vote.objects.standing().count() == 0
    assert AuditEvent.objects.filter(action="change.withdraw").count() == 1


def test_a_vote_on_what_is_being_proposed_again_ends_too(awaiting, approver, admin, fake):
    change = vote(awaiting, approver)
    fake.moved = "the state moved"
    seen = []

    def meanwhile(work):
        leave(admin, approver)
        seen.append(Vote.objects.standing().count())

    fake.on_propose = meanwhile
    actions.start(by=by(change.requested_by), change=change)
    change = step(fresh(change))
    assert seen == [0]
    assert (change.status, fake.executed) == (Status.AWAITING_APPROVAL, 0)


def test_votes_of_what_runs_or_ended_stay_as_history(awaiting, approver, admin, fake):
    vote(awaiting, approver)
    fake.on_execute = lambda work: leave(admin, approver) and None
    actions.start(by=by(awaiting.requested_by), change=fresh(awaiting))
    assert step(fresh(awaiting)).status == Status.SUCCEEDED
    assert Vote.objects.get().withdrawn_at is None


def test_whose_page_was_loaded_before_they_left_acts_no_more(awaiting, approver, admin, operator, fake):
    """The act's person was read before: what counts is the row when the act happens."""
    leave(admin, fresh_user(approver))
    assert approver.is_active
    with pytest.raises(NotAllowed):
        vote(awaiting, approver)
    with pytest.raises(NotAllowed):
        actions.reject(by=by(approver), change=awaiting, comment="no")
    assert not Vote.objects.exists()
    assert roles_of(approver, awaiting.environment.tenant) == frozenset()


# --- what stays ------------------------------------------------------------------------------------


def test_what_they_requested_stays_and_says_so(awaiting, operator, operator2, approver, admin, sign_in, fake):
    leave(admin, operator)
    change = fresh(awaiting)
    assert change.status == Status.AWAITING_APPROVAL
    event = AuditEvent.objects.get(action="change.requester_left")
    assert (event.target_id, event.after["requester"]) == (str(change.uuid), "operator")
    page = sign_in(approver).get(reverse("changes:detail", args=[change.uuid])).content.decode()
    assert "(has left)" in page
    vote(change, approver)
    actions.start(by=by(operator2), change=fresh(change))
    assert step(fresh(change)).status == Status.SUCCEEDED


# --- a role, in one tenant only --------------------------------------------------------------------


def test_a_role_withdrawn_in_one_tenant_reopens_there_and_nowhere_else(
    awaiting, approver, admin, other_tenant, operator, fake
):
    from environments.models import Environment

    elsewhere = Environment.objects.create(
        tenant=other_tenant, slug="production", name="production", environment_class="production"
    )
    Membership.objects.create(user=approver, tenant=other_tenant, role="approver")
    Membership.objects.create(user=operator, tenant=other_tenant, role="operator")
    there = vote(step(ask_for(elsewhere, operator, start="manual")), approver)
    here = vote(awaiting, approver)
    revoke_role(by=by(admin), tenant=awaiting.environment.tenant, user=approver, role="approver")
    assert fresh(here).status == Status.AWAITING_APPROVAL
    assert fresh(there).status == Status.APPROVED
    assert "no longer holds the role" in fresh(here).transitions.last().note


def test_another_role_that_the_gate_does_not_ask_changes_nothing(awaiting, approver, admin, tenant):
    Membership.objects.create(user=approver, tenant=tenant, role="finance")
    change = vote(awaiting, approver)
    revoke_role(by=by(admin), tenant=tenant, user=approver, role="finance")
    assert fresh(change).status == Status.APPROVED


def test_a_session_of_somebody_without_roles_sees_the_tenant_no_more(
    awaiting, approver, admin, tenant, sign_in, api
):
    page, token = sign_in(approver), api(approver)
    here = reverse("changes:detail", args=[awaiting.uuid])
    assert page.get(here).status_code == 200
    revoke_role(by=by(admin), tenant=tenant, user=approver, role="approver")
    assert page.get(here).status_code == 404
    assert page.post(reverse("changes:act", args=[awaiting.uuid, "approve"])).status_code == 404
    assert token.get(f"/api/v1/changes/{awaiting.uuid}/").status_code == 404


def test_everything_or_nothing(awaiting, approver, admin, monkeypatch):
    """A departure that fails half-way leaves the person, their tokens and votes as they were."""
    change = vote(awaiting, approver)
    from environments.changes import departures

    def full(*args, **values):
        raise OSError("disk full")

    monkeypatch.setattr(departures, "note_event", full)
    with pytest.raises(OSError, match="disk full"):
        leave(admin, approver)
    assert fresh_user(approver).is_active
    assert fresh(change).status == Status.APPROVED
    assert Vote.objects.standing().count() == 1


def test_an_approval_of_long_ago_by_who_left_lets_nothing_start_at_its_time(
    fake, production, operator, approver, admin
):
    from django.utils import timezone

    change = vote(
        step(ask_for(production, operator, start="at", start_at=timezone.now() + timedelta(hours=1))),
        approver,
    )
    leave(admin, approver)
    type(change).objects.filter(pk=change.pk).update(start_at=timezone.now() - timedelta(seconds=1))
    assert step(fresh(change)).status == Status.AWAITING_APPROVAL
    assert fake.executed == 0
