"""Rolling a state back: what is proposed, who is asked, what becomes of it, and everything that may come between."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from environments.changes import actions as changes
from environments.changes import execution
from environments.changes.models import Change
from environments.models import Environment, Resource
from environments.runs.models import StateLock, StateVersion
from environments.runs.states import store
from environments.runs.states.actions import request_rollback
from portal.accounts.principals import worker
from portal.audit.models import AuditEvent
from portal.core.errors import InvalidInput, NotAllowed
from portal.terraform.state import read_state
from tests.cast import by
from tests.environments.runs.states import LINEAGE, SECRET, keep, thing

pytestmark = pytest.mark.django_db
WORKER = worker("test worker")


@pytest.fixture
def staging(tenant):
    return Environment.objects.create(
        tenant=tenant, slug="staging", name="staging", environment_class="staging", blueprint="steps"
    )


@pytest.fixture
def production(tenant):
    return Environment.objects.create(
        tenant=tenant,
        slug="production",
        name="production",
        environment_class="production",
        blueprint="steps",
    )


def three_versions(place):
    keep(place, thing("a"), thing("b"))
    keep(place, thing("a", "two"), thing("b"))
    keep(place, thing("a", "two"), thing("c"))


def step(change: Change) -> Change:
    execution.advance(str(change.uuid), by=WORKER)
    return Change.objects.for_lists().get(pk=change.pk)


def asked(place, user, number=1, reason="b was dropped by mistake"):
    return request_rollback(by=by(user), environment=place, number=number, reason=reason)


def test_the_proposal_says_what_terraform_would_forget_and_know_again(production, operator):
    three_versions(production)
    change = step(asked(production, operator))
    assert change.status == "awaiting_approval"
    rows = change.proposal.resource_changes.order_by("rank", "position")
    assert [(row.action, row.address) for row in rows] == [
        ("forget", "terraform_data.c"),
        ("update", "terraform_data.a"),
        ("import", "terraform_data.b"),
    ]
    facts = change.proposal.facts
    assert (facts["mode"], facts["forgets"], facts["recalls"]) == ("state_rollback", 1, 1)
    assert change.proposal.summary == "1 to forget, 1 to remember otherwise, 1 to know again"
    assert (change.proposal.base["lineage"], change.proposal.base["serial"]) == (LINEAGE, 3)
    assert "destroys" not in facts
    assert SECRET not in json.dumps([row.detail for row in rows])


def test_approved_it_becomes_the_next_version_and_nothing_before_it_changes(production, operator, approver):
    three_versions(production)
    before = list(StateVersion.objects.order_by("number").values_list("number", "md5"))
    change = step(asked(production, operator))
    assert StateVersion.objects.count() == 3
    changes.approve(by=by(approver), change=change, digest=change.proposal.digest)
    change = step(change)
    assert change.status == "succeeded", change.error_message
    newest = store.current(production)
    assert (newest.number, newest.serial, newest.lineage) == (4, 4, LINEAGE)
    assert (newest.change, newest.written_by) == (change, change.title)
    found = read_state(newest.content)
    assert [(one.address, one.attributes["input"]) for one in found.managed] == [
        ("terraform_data.a", "one"),
        ("terraform_data.b", "one"),
    ]
    assert list(StateVersion.objects.order_by("number").values_list("number", "md5"))[:3] == before
    assert not StateLock.objects.exists()
    assert not change.claims.active().exists()
    assert sorted(Resource.objects.values_list("address", flat=True)) == [
        "terraform_data.a",
        "terraform_data.b",
    ]
    told = AuditEvent.objects.filter(target_type="state").order_by("id").values_list("action", flat=True)
    assert list(told) == ["state.lock", "state.write", "state.unlock"]


def test_a_second_message_writes_no_second_version(staging, operator):
    three_versions(staging)
    change = step(step(asked(staging, operator)))
    assert change.status == "succeeded"
    step(change)
    assert StateVersion.objects.count() == 4


def test_back_to_what_is_there_already_is_no_change(production, operator):
    three_versions(production)
    assert step(asked(production, operator, number=3)).status == "no_changes"


def test_a_state_that_moved_is_compared_anew_and_the_votes_are_void(production, operator, approver):
    three_versions(production)
    change = step(asked(production, operator))
    first = change.proposal.digest
    keep(production, thing("a", "two"), thing("c"), thing("d"))
    changes.approve(by=by(approver), change=change, digest=first)
    change = step(change)
    assert change.status == "awaiting_approval"
    assert change.proposal.digest != first
    assert change.proposal.facts["forgets"] == 2
    assert StateVersion.objects.count() == 4


def test_the_same_state_under_a_new_serial_keeps_the_votes(production, operator, approver):
    three_versions(production)
    change = step(asked(production, operator))
    first = change.proposal.digest
    keep(production, thing("a", "two"), thing("c"))
    changes.approve(by=by(approver), change=change, digest=first)
    change = step(step(change))
    assert change.status == "succeeded", change.status
    assert change.proposal.number == 2
    assert change.proposal.digest == first
    assert store.current(production).serial == 5


def test_a_worker_that_lost_its_lease_writes_nothing(staging, operator, monkeypatch):
    three_versions(staging)
    change = step(asked(staging, operator))
    from environments.runs.states import edits

    kind = edits.StateEditKind()
    original = kind.execute

    def late(self, work):
        Change.objects.filter(pk=change.pk).update(fence=work.fence + 5)
        original(work)

    monkeypatch.setattr(edits.StateEditKind, "execute", late)
    step(change)
    assert StateVersion.objects.count() == 3
    assert not StateLock.objects.exists()


def test_a_write_that_fails_leaves_neither_version_nor_lock(staging, operator, monkeypatch):
    three_versions(staging)
    change = step(asked(staging, operator))

    def full(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(store.StateVersion.objects, "create", full)
    change = step(change)
    assert (change.status, change.error_kind) == ("failed", "portal")
    assert StateVersion.objects.count() == 3
    assert not StateLock.objects.exists()
    assert not change.claims.active().exists()


def test_it_waits_for_a_lock_by_hand_and_goes_on_after_it(staging, operator, operator2):
    from environments.runs.states.lock_actions import lock_state, unlock_state

    three_versions(staging)
    change = step(asked(staging, operator))
    lock_state(by=by(operator2), environment=staging, reason="Moving the database by hand")
    change = step(change)
    assert change.status == "approved"
    unlock_state(by=by(operator2), environment=staging)
    assert step(change).status == "succeeded"


@pytest.mark.parametrize(("who", "right"), (("viewer", NotAllowed), ("approver", NotAllowed)))
def test_who_may_not(staging, request, who, right):
    three_versions(staging)
    with pytest.raises(right):
        asked(staging, request.getfixturevalue(who))
    assert not Change.objects.exists()
    assert AuditEvent.objects.get(action="change.request").outcome == "refused"


@pytest.mark.parametrize(("number", "reason"), ((9, "why not"), (1, "  ")))
def test_wrong_input(staging, operator, number, reason):
    three_versions(staging)
    with pytest.raises(InvalidInput):
        asked(staging, operator, number, reason)
    assert not Change.objects.exists()


def test_no_row_of_the_proposal_holds_a_secret(production, operator):
    three_versions(production)
    step(asked(production, operator))
    with connection.cursor() as cursor:
        for table in ("changes_proposal", "changes_change", "runs_resourcechange", "runs_stateedit"):
            cursor.execute(f"SELECT * FROM {table}")
            assert SECRET not in repr(
                [[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor.fetchall()]
            )
