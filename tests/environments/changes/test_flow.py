"""The one flow: requested, proposed, gated, executed, verified; and each way out of it."""

import pytest
from django.db import transaction

from environments.changes import actions
from environments.changes.kinds import Cancelled, ToolFailure, Verdict
from environments.changes.lifecycle import FINAL, MOVES, Status
from environments.changes.models import Change, Claim, Transition
from environments.changes.transitions import move
from portal.audit.models import AuditEvent
from portal.core.errors import InvalidInput, NotAllowed, StaleState
from tests.cast import by
from tests.environments.changes.conftest import WORKER, ask_for, fresh, step

pytestmark = pytest.mark.django_db


def statuses(change):
    return list(Transition.objects.filter(change=change).values_list("to_status", flat=True))


def test_without_gates_it_is_approved_by_itself_and_runs(fake, staging, operator):
    change = step(ask_for(staging, operator))
    assert change.status == Status.APPROVED
    change = step(change)
    assert change.status == Status.SUCCEEDED
    assert statuses(change) == ["requested", "proposing", "approved", "executing", "verifying", "succeeded"]
    assert fake.executed == 1
    assert not Claim.objects.active().exists()


def test_production_waits_for_one_approver(fake, production, operator, approver):
    change = step(ask_for(production, operator))
    assert change.status == Status.AWAITING_APPROVAL
    assert step(change).status == Status.AWAITING_APPROVAL
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert fresh(change).status == Status.APPROVED
    assert step(change).status == Status.SUCCEEDED


def test_every_move_has_its_transition_and_audit_event(fake, staging, operator):
    change = step(step(ask_for(staging, operator)))
    told = list(
        AuditEvent.objects.filter(target_id=str(change.uuid)).order_by("id").values_list("action", flat=True)
    )
    assert told == [
        "change.request",
        "change.proposing",
        "change.approved",
        "change.executing",
        "change.verifying",
        "change.succeeded",
    ]


def test_nothing_to_do_ends_it(fake, staging, operator):
    fake.empty = True
    assert step(ask_for(staging, operator)).status == Status.NO_CHANGES


def test_what_the_tool_refuses_is_a_failure_with_its_hint(fake, staging, operator):
    def refuse(work):
        raise ToolFailure("No such thing", "Make one")

    fake.on_propose = refuse
    change = step(ask_for(staging, operator))
    assert (change.status, change.error_kind, change.error_hint) == ("failed", "tool", "Make one")


def test_a_fault_of_the_portal_is_told_apart_and_shows_no_trace(fake, staging, operator):
    def crash(work):
        raise ZeroDivisionError("oops")

    fake.on_execute = crash
    change = step(step(ask_for(staging, operator)))
    assert (change.status, change.error_kind) == ("failed", "portal")
    assert "Traceback" not in change.error_message
    assert not Claim.objects.active().exists()


def test_cancel_while_it_runs_is_a_flag_the_worker_obeys(fake, staging, operator):
    def obey(work):
        actions.cancel(by=by(operator), change=work.change, reason="wrong one")
        assert work.wishes() == (True, False)
        raise Cancelled("half of it")

    fake.on_execute = obey
    change = step(step(ask_for(staging, operator)))
    assert change.status == Status.CANCELLED
    assert change.transitions.last().note == "half of it"


def test_cancel_before_it_runs_is_immediate(fake, production, operator):
    change = step(ask_for(production, operator))
    actions.cancel(by=by(operator), change=change)
    assert fresh(change).status == Status.CANCELLED
    assert step(change).status == Status.CANCELLED
    assert fake.executed == 0


def test_not_as_approved_is_regressed_never_succeeded(fake, staging, operator):
    fake.verdict = Verdict(False, "not the same", "Something else came out")
    assert step(step(ask_for(staging, operator))).status == Status.REGRESSED


def test_a_message_that_comes_twice_executes_once(fake, staging, operator):
    change = step(step(ask_for(staging, operator)))
    step(change)
    assert fake.executed == 1


def test_a_moved_base_proposes_again_and_keeps_votes_of_an_equal_proposal(
    fake, production, operator, approver
):
    change = step(ask_for(production, operator))
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    fake.moved = "the state moved"
    change = step(change)
    assert change.status == Status.APPROVED
    assert change.proposal.number == 2
    assert step(change).status == Status.SUCCEEDED


def test_a_moved_base_with_another_outcome_asks_again(fake, production, operator, approver):
    change = step(ask_for(production, operator))
    first = change.proposal.digest
    actions.approve(by=by(approver), change=change, digest=first)
    fake.moved, fake.content = "the state moved", "two"
    change = step(change)
    assert change.status == Status.AWAITING_APPROVAL
    with pytest.raises(StaleState):
        actions.approve(by=by(approver), change=change, digest=first)
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert fresh(change).status == Status.APPROVED


def test_start_when_pressed(fake, staging, operator, viewer):
    change = step(ask_for(staging, operator, start="manual"))
    assert step(change).status == Status.APPROVED
    with pytest.raises(NotAllowed):
        actions.start(by=by(viewer), change=change)
    actions.start(by=by(operator), change=change)
    assert step(change).status == Status.SUCCEEDED
    with pytest.raises(StaleState):
        actions.start(by=by(operator), change=change)


def test_a_reject_needs_its_reason_and_ends_it(fake, production, operator, approver):
    change = step(ask_for(production, operator))
    with pytest.raises(InvalidInput):
        actions.reject(by=by(approver), change=change, comment=" ")
    actions.reject(by=by(approver), change=change, comment="not now")
    assert fresh(change).status == Status.REJECTED
    with pytest.raises(StaleState):
        actions.approve(by=by(approver), change=change, digest=change.proposal.digest)


def test_nothing_leaves_a_final_status():
    assert not set(MOVES) & FINAL
    assert {target for targets in MOVES.values() for target in targets} | {Status.REQUESTED} == set(Status)


@pytest.mark.parametrize("old", Status)
def test_a_move_that_the_table_does_not_have_is_refused(fake, staging, operator, old):
    change = ask_for(staging, operator)
    Change.objects.filter(pk=change.pk).update(status=old)
    for new in set(Status) - MOVES.get(old, frozenset()):
        with pytest.raises(StaleState), transaction.atomic():
            move(fresh(change), new, by=WORKER)
    assert fresh(change).status == old


def test_a_move_under_another_fence_is_refused(fake, staging, operator):
    change = step(ask_for(staging, operator))
    with pytest.raises(StaleState), transaction.atomic():
        move(fresh(change), Status.CANCELLED, by=WORKER, held=change.fence + 1)
    assert fresh(change).status == Status.APPROVED


def test_a_tools_words_that_no_database_keeps_still_end_the_change(fake, staging, operator):
    def say_no(work):
        raise ToolFailure("The provider said \x00 and \ud800.")

    fake.on_propose = say_no
    change = step(ask_for(staging, operator))
    assert (change.status, change.error_kind) == ("failed", "tool")
    assert change.error_message == "The provider said \ufffd and \ufffd."


def test_the_password_in_an_address_is_in_no_tools_words(fake, staging, operator):
    def say_no(work):
        raise ToolFailure("Could not dial postgres://app:hunter2-of-the-app@db.example.com/app")

    fake.on_propose = say_no
    change = step(ask_for(staging, operator))
    notes = " ".join(Transition.objects.filter(change=change).values_list("note", flat=True))
    assert "Could not dial" in notes
    assert "hunter2" not in f"{notes} {change.error_message}"
