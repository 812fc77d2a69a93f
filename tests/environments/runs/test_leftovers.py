"""What an apply that ended early left: worked out against the state that came last, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from environments.changes import claims, sweeper
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.runs.leftovers import aftermath, reckoning, rows
from environments.runs.models import Leftover, StateLock, TerraformRun
from portal.audit.models import AuditEvent
from portal.terraform.identity import this_host
from tests.environments.runs.crafted import planned, row
from tests.environments.runs.leaving import ended, executing, left, told, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("work_dir")]


def found(change: Change) -> dict[str, tuple[str, bool]]:
    """Leftovers of the change: address -> (id, surely made)."""
    return {row.address: (row.resource_id, row.made_at is not None) for row in change.leftovers.all()}


def test_what_the_state_lacks_is_left_and_what_it_holds_is_not(place, operator):
    change = executing(place, operator, "terraform_data.a", "terraform_data.b", "terraform_data.c")
    told(change, "terraform_data.a", "id-a")
    told(change, "terraform_data.b", "id-b")
    told(change, "terraform_data.c", "id-c", state="running")
    told(change, "terraform_data.d", "", state="failed")
    told(change, "terraform_data.e", "id-e", action="update")
    written(place, {"terraform_data.a": "id-a"}, change=change)
    assert aftermath.close_books(ended(change))
    assert found(change) == {"terraform_data.b": ("id-b", True), "terraform_data.c": ("id-c", False)}
    assert not TerraformRun.objects.get(change=change).unreckoned
    event = AuditEvent.objects.get(action="leftover.found")
    assert event.after == {"resources": {"terraform_data.b": "id-b", "terraform_data.c": "id-c"}}
    assert event.environment == "staging"


def test_without_any_state_all_that_was_made_is_left(place, operator):
    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", "id-a")
    aftermath.close_books(ended(change))
    assert found(change) == {"terraform_data.a": ("id-a", True)}


def test_a_replaced_one_is_left_though_the_old_one_stands_in_the_state_under_its_address(place, operator):
    change = executing(place, operator, "terraform_data.a", "terraform_data.b")
    written(place, {"terraform_data.a": "old-a", "terraform_data.b": "old-b"}, at=change.started_at)
    for name in ("a", "b"):
        told(change, f"terraform_data.{name}", f"old-{name}", action="delete")
    told(change, "terraform_data.a", "new-a")
    told(change, "terraform_data.b", state="running")
    aftermath.close_books(ended(change))
    assert found(change) == {"terraform_data.a": ("new-a", True), "terraform_data.b": ("", False)}


def test_a_write_after_it_was_begun_tells_of_it_whatever_became_of_it(place, operator):
    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", action="delete", resource_id="old-a")
    told(change, "terraform_data.a", state="running")
    written(place, {"terraform_data.a": "new-a"}, change=change)
    aftermath.close_books(ended(change))
    assert found(change) == {}


def test_the_one_deposed_is_in_the_state(place, operator):
    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", "old-a")
    written(place, {"terraform_data.a": "new-a"}, deposed={"terraform_data.a": "old-a"})
    aftermath.close_books(ended(change))
    assert found(change) == {}


def test_an_id_that_holds_a_secret_was_masked_and_is_no_id(place, operator):
    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", "user:(secret)")
    aftermath.close_books(ended(change))
    assert found(change) == {"terraform_data.a": ("", True)}


def test_two_who_close_the_books_at_once_write_them_once(place, operator, monkeypatch):
    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", "id-a")
    change = ended(change)
    real = reckoning.find

    def find(of: Change) -> list[reckoning.Found]:
        # While one looks, the other writes.
        monkeypatch.setattr(reckoning, "find", real)
        reckoning.reckon(Change.objects.for_lists().get(pk=of.pk))
        return real(of)

    monkeypatch.setattr(reckoning, "find", find)
    assert reckoning.reckon(change) == []
    assert found(change) == {"terraform_data.a": ("id-a", True)}
    assert AuditEvent.objects.filter(action="leftover.found").count() == 1


@pytest.mark.parametrize("status", (Status.INTERRUPTED, Status.CANCELLED, Status.FAILED))
def test_the_scheduler_closes_books_that_a_dead_worker_left_open(place, operator, status):
    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", "id-a")
    ended(change, status)
    aftermath.close_all()
    aftermath.close_all()
    assert found(change) == {"terraform_data.a": ("id-a", True)}
    assert AuditEvent.objects.filter(action="leftover.found").count() == 1


def test_one_state_that_cannot_be_read_does_not_keep_the_others_waiting(place, other, operator):
    for environment in (place, other):
        change = executing(environment, operator, "terraform_data.a")
        told(change, "terraform_data.a", "id-a")
        ended(change)
    broken = written(place, {})
    broken.content = b"{"
    broken.save()
    aftermath.close_all()
    assert [row.environment for row in Leftover.objects.all()] == [other]
    assert TerraformRun.objects.filter(unreckoned=True).count() == 1


def alive_here(change: Change) -> None:
    """This very process stands in for its Terraform."""
    import os

    from portal.terraform.identity import identify

    Change.objects.filter(pk=change.pk).update(tool_process=identify(os.getpid()).as_dict())


def test_nothing_is_worked_out_while_its_terraform_lives(place, operator):
    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", "id-a")
    change = ended(change)
    alive_here(change)
    assert not aftermath.close_books(change)
    assert found(change) == {}
    # Its last write comes after its worker's death: what it holds is not left.
    written(place, {"terraform_data.a": "id-a"}, change=change)
    Change.objects.filter(pk=change.pk).update(tool_process={})
    assert aftermath.close_books(change)
    assert found(change) == {}


def test_a_terraform_of_another_machine_is_silent_once_it_has_neither_lock_nor_credential(place, operator):
    from environments.runs import credentials

    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", "id-a")
    change = ended(change)
    elsewhere = {"host": "another", "boot_id": "x", "pid": 4711, "started": "1"}
    Change.objects.filter(pk=change.pk).update(
        tool_process=elsewhere, finished_at=timezone.now() - timedelta(minutes=5)
    )
    change.refresh_from_db()
    lock = StateLock.objects.create(environment=place, change=change, lock_id="1", holder="it", fence=1)
    credentials.issue(change, fence=1, may_write=True)
    assert not aftermath.close_books(change)
    lock.delete()
    assert not aftermath.close_books(change)
    credentials.revoke(change, fence=1)
    # A worker of its own machine gets the time to bring what lies on the disk there.
    Change.objects.filter(pk=change.pk).update(finished_at=timezone.now())
    change.refresh_from_db()
    assert not aftermath.close_books(change)
    Change.objects.filter(pk=change.pk).update(finished_at=timezone.now() - timedelta(minutes=5))
    change.refresh_from_db()
    assert aftermath.close_books(change)
    assert found(change) == {"terraform_data.a": ("id-a", True)}
    assert this_host()[0] != "another"


def test_claims_are_given_back_only_after_it_is_known_what_was_left(place, operator, monkeypatch):
    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", "id-a")
    Claim.objects.create(change=change, subject=f"state:{place.key}")
    seen = []
    real = claims.release

    def release(freed: Change) -> list[str]:
        seen.append(Leftover.objects.count())
        return real(freed)

    monkeypatch.setattr(claims, "release", release)
    sweeper.sweep()
    assert Change.objects.get(pk=change.pk).status == Status.INTERRUPTED
    assert seen == [1]
    assert not Claim.objects.active().exists()


def test_only_what_the_plan_imported_and_the_state_now_holds_is_imported(place, operator):
    change = left(place, operator, a="id-a", b="id-b", c="id-c")
    change.leftovers.update(state=Leftover.State.IMPORTING)
    run = planned(place, operator, [row("terraform_data.a", "import")])
    run.proposal.facts["imports"] = {"terraform_data.a": "id-a", "terraform_data.b": "id-b"}
    run.proposal.save()
    written(place, {"terraform_data.a": "id-a", "terraform_data.c": "another"}, change=run)
    assert rows.note_imported(run) == 1
    states = dict(change.leftovers.values_list("address", "state"))
    assert states == {
        "terraform_data.a": "imported",
        "terraform_data.b": "importing",
        "terraform_data.c": "importing",
    }
    assert AuditEvent.objects.get(action="leftover.imported").after == {
        "resources": {"terraform_data.a": "id-a"}
    }


def test_what_the_state_holds_by_that_very_id_needs_no_import(place, operator):
    change = left(place, operator, a="id-a", b="id-b")
    change.leftovers.update(state=Leftover.State.IMPORTING)
    written(place, {"terraform_data.a": "id-a", "terraform_data.b": "another"})
    assert rows.note_held(place, change) == 1
    assert rows.pending(place) == {"terraform_data.b": "id-b"}
