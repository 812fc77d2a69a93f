"""Writing a state past the portal's runs: whose token may, for how long, and what it can never do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from environments.changes.models import Claim
from environments.models import Environment, Membership, Resource
from environments.runs.models import StateLock, StateVersion
from environments.runs.states import upkeep
from environments.runs.states.lock_actions import lock_state
from environments.runs.states.token_actions import issue_state_token
from portal.accounts.actions import create_token, deactivate_person, revoke_token
from portal.accounts.models import ApiToken
from portal.accounts.principals import Principal
from portal.audit.models import AuditEvent
from portal.core.errors import InvalidInput, NotAllowed
from tests.cast import by
from tests.environments.runs.speaking import Terraform, change_of, run_of
from tests.environments.runs.states import body, thing

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(tenant):
    return Environment.objects.create(tenant=tenant, slug="here", name="here", environment_class="staging")


@pytest.fixture
def there(tenant):
    return Environment.objects.create(tenant=tenant, slug="there", name="there", environment_class="staging")


def issued(place, admin, person, **options):
    wanted = {"hours": 2, "reason": "Repairing by hand", **options}
    return issue_state_token(by=by(admin), environment=place, person=person, **wanted)


@pytest.fixture
def mine(here, admin, operator):
    _token, plain = issued(here, admin, operator)
    return Terraform(here, "me", plain)


def end(plain_of):
    """Let the token's time be over."""
    ApiToken.objects.filter(environment_id="triflow.here").update(expires_at=timezone.now())


# --- issuing ---------------------------------------------------------------------------------------


def test_issued_to_a_named_person_for_hours_and_recorded(here, admin, operator):
    token, plain = issued(here, admin, operator, hours=12)
    assert (token.user, token.scopes, token.environment_id) == (operator, ["state.write"], "triflow.here")
    assert token.expires_at <= timezone.now() + timedelta(hours=12)
    event = AuditEvent.objects.get(action="state.token")
    assert (event.actor_name, event.outcome) == ("Admin", "done")
    assert event.after["person"] == "operator"
    assert event.after["reason"] == "Repairing by hand"
    assert plain not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    "wrong", ({"hours": 0}, {"hours": 13}, {"reason": "  "}), ids=("no hours", "too many", "no reason")
)
def test_what_it_takes_to_issue_one(here, admin, operator, wrong):
    with pytest.raises(InvalidInput):
        issued(here, admin, operator, **wrong)
    assert not ApiToken.objects.exists()


def test_nobody_who_could_not_operate_gets_one(here, admin, viewer, outsider):
    for person in (viewer, outsider):
        with pytest.raises(InvalidInput):
            issued(here, admin, person)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("who", ("operator", "approver", "auditor", "viewer"))
def test_who_may_not_issue(here, operator, request, who):
    with pytest.raises(NotAllowed):
        issued(here, request.getfixturevalue(who), operator)
    assert AuditEvent.objects.get(action="state.token").outcome == "refused"


def test_a_token_issues_no_token_that_writes(here, admin, operator):
    own, _plain = create_token(by=by(admin), name="a script")
    principal = Principal(admin, "token", token=own, name="Admin (token a script)")
    with pytest.raises(NotAllowed):
        issue_state_token(by=principal, environment=here, person=operator, hours=1, reason="why")
    assert ApiToken.objects.count() == 1


# --- writing ---------------------------------------------------------------------------------------


def test_lock_write_unlock_and_the_inventory_follows(here, mine, operator):
    assert mine.call("GET").status_code == 204
    assert mine.lock("l1").status_code == 200
    assert mine.write(body(thing("a")), "l1").status_code == 200
    assert mine.unlock("l1").status_code == 200
    version = StateVersion.objects.get()
    assert (version.change, version.written_by[:8]) == (None, "Operator")
    assert version.inventory_due_at is not None
    events = AuditEvent.objects.filter(target_type="state", actor_kind="token").order_by("id")
    assert [event.action for event in events] == ["state.read", "state.lock", "state.write", "state.unlock"]
    assert {event.actor_id for event in events} == {"operator"}
    upkeep.refresh_inventory(here.pk)
    assert list(Resource.objects.values_list("address", flat=True)) == ["terraform_data.a"]
    version.refresh_from_db()
    assert version.inventory_due_at is None


def test_due_inventories_are_sent_once_a_minute(here, mine, monkeypatch):
    sent = []
    monkeypatch.setattr(upkeep.current_app, "send_task", lambda name, args, queue: sent.append((name, args)))
    mine.lock("l1")
    mine.write(body(), "l1")
    mine.write(body(serial=2), "l1")
    upkeep.send_due_inventories()
    upkeep.send_due_inventories()
    assert sent == [("runs.refresh_inventory", [here.pk])]


def test_it_opens_no_other_state_and_nothing_else(here, there, mine, client):
    mine.url = "/state/triflow/there"
    for method in ("GET", "LOCK", "POST", "UNLOCK"):
        assert mine.call(method).status_code == 401
    plain = ApiToken.objects.get()
    assert client.get("/api/v1/changes/", HTTP_AUTHORIZATION=f"Token ghs_{plain.prefix}_x").status_code == 401


def test_without_the_lock_nothing_is_written(mine):
    assert mine.write(body(), "").status_code == 409
    assert mine.write(body(), "l1").status_code == 409
    assert not StateVersion.objects.exists()


def test_anothers_lock_is_nobody_elses(here, mine, admin, operator2):
    _token, plain = issued(here, admin, operator2)
    other = Terraform(here, "me", plain)
    assert mine.lock("l1").status_code == 200
    assert other.lock("l1").status_code == 423
    assert other.write(body(), "l1").status_code == 423
    assert other.unlock("l1").status_code == 423
    assert "Operator" in other.lock("l2").json()["ID"]
    assert mine.write(body(), "l1").status_code == 200


def test_a_second_token_of_the_same_person_is_another_writer(here, mine, admin, operator):
    _token, plain = issued(here, admin, operator)
    second = Terraform(here, "me", plain)
    mine.lock("l1")
    assert second.write(body(), "l1").status_code == 423


def test_a_lock_by_hand_stops_it_with_who_and_why(here, mine, operator2):
    lock = lock_state(by=by(operator2), environment=here, reason="Moving the database")
    answer = mine.lock("l1")
    assert answer.status_code == 423
    assert "Operator2" in answer.json()["ID"]
    assert "Moving the database" in answer.json()["ID"]
    assert mine.write(body(), lock.lock_id).status_code == 423
    assert mine.unlock(lock.lock_id).status_code == 423
    assert StateLock.objects.get() == lock


def test_it_stops_no_change_that_executes(here, mine, operator):
    change = change_of(here, operator)
    Claim.objects.create(change=change, subject="state:triflow.here")
    answer = mine.lock("l1")
    assert answer.status_code == 409
    assert "Run it" in answer.json()["ID"]
    assert not StateLock.objects.exists()


def test_a_run_is_told_of_the_command_line_and_cannot_write_past_it(here, mine, operator):
    mine.lock("l1")
    run = run_of(change_of(here, operator))
    assert run.lock("l2").status_code == 423
    assert run.write(body(), "l1").status_code == 423


# --- the end of a token ----------------------------------------------------------------------------


def test_a_token_that_ends_while_it_holds_the_lock_finishes_what_it_began(mine):
    mine.lock("l1")
    end(mine)
    assert mine.call("GET").status_code == 204
    assert mine.write(body(), "l1").status_code == 200
    assert mine.lock("l2").status_code == 423
    assert mine.unlock("l1").status_code == 200
    for answer in (mine.call("GET"), mine.lock("l3"), mine.write(body(serial=2), "l1")):
        assert answer.status_code == 401
    assert StateVersion.objects.count() == 1


def test_a_token_that_ended_without_a_lock_opens_nothing(mine):
    end(mine)
    for answer in (mine.call("GET"), mine.lock("l1"), mine.unlock("l1"), mine.write(body(), "l1")):
        assert answer.status_code == 401


def test_an_ended_token_finishes_nobody_elses_work(here, mine, admin, operator2):
    _token, plain = issued(here, admin, operator2)
    other = Terraform(here, "me", plain)
    mine.lock("l1")
    end(other)
    assert other.write(body(), "l1").status_code == 401


def test_a_revoked_token_stops_at_once_even_with_the_lock(mine, admin):
    mine.lock("l1")
    revoke_token(by=by(admin), token=ApiToken.objects.get())
    assert mine.write(body(), "l1").status_code == 401
    assert mine.unlock("l1").status_code == 401
    assert not StateVersion.objects.exists()


def test_who_leaves_writes_nothing_more(mine, admin, operator):
    mine.lock("l1")
    deactivate_person(by=by(admin), person=operator)
    end(mine)
    assert mine.write(body(), "l1").status_code == 401


def test_who_loses_the_role_writes_nothing_more(mine, operator):
    mine.lock("l1")
    Membership.objects.filter(user=operator).delete()
    assert mine.write(body(), "l1").status_code == 401


def test_its_write_makes_what_was_proposed_stale(here, mine, operator):
    from environments.changes import execution
    from environments.runs.states.actions import request_rollback
    from portal.accounts.principals import worker
    from tests.environments.runs.states import keep

    keep(here, thing("a"))
    keep(here, thing("b"))
    with transaction.atomic():
        change = request_rollback(by=by(operator), environment=here, number=1, reason="why")
    execution.advance(str(change.uuid), by=worker("w"))
    mine.lock("l1")
    assert mine.write(body(thing("b"), thing("c"), serial=3), "l1").status_code == 200
    # It waits while the command line holds the lock, and then looks anew before it does anything.
    execution.advance(str(change.uuid), by=worker("w"))
    change.refresh_from_db()
    assert change.status == "approved"
    mine.unlock("l1")
    execution.advance(str(change.uuid), by=worker("w"))
    change.refresh_from_db()
    assert change.proposal.number == 2
    assert change.proposal.facts["forgets"] == 2
