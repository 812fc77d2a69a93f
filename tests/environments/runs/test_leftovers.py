"""What an apply that ended early left: worked out against the state that came last, once, and before anybody goes on."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from environments.changes import claims, sweeper
from environments.changes.lifecycle import Status
from environments.changes.log import LogWriter, read
from environments.changes.models import Change, Claim
from environments.models import Definition, Environment
from environments.runs.leftovers import aftermath, aftermath_page, blocking, reckoning, rows
from environments.runs.models import Leftover, ResourceProgress, StateLock, StateVersion, TerraformRun
from environments.runs.states import store
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict
from portal.core.redaction import Redactor
from portal.terraform.identity import this_host
from tests.cast import by
from tests.environments.runs.crafted import planned, row
from tests.environments.runs.leaving import document, ended, executing, left, told, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tenant):
    return Environment.objects.create(
        tenant=tenant, slug="staging", name="staging", environment_class="staging", blueprint="steps"
    )


@pytest.fixture
def other(tenant):
    return Environment.objects.create(
        tenant=tenant, slug="test", name="test", environment_class="staging", blueprint="steps"
    )


@pytest.fixture(autouse=True)
def _work_dir(settings, tmp_path):
    settings.WORK_DIR = tmp_path / "work"


def found(change: Change) -> dict[str, tuple[str, bool]]:
    """Leftovers of the change: address -> (id, surely made)."""
    return {row.address: (row.resource_id, row.made_at is not None) for row in change.leftovers.all()}


# --- working them out ------------------------------------------------------------------------------


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


# --- what lies on the dead worker's disk -----------------------------------------------------------


def line(kind: str, address: str, message: str, **more: str) -> str:
    """One line of Terraform's log."""
    resource = {"addr": address, "resource_type": "terraform_data"}
    hook = {"resource": resource, "action": "create", **more}
    stamp = "2026-01-01T10:00:00.000000Z"
    return json.dumps({"@message": message, "type": kind, "@timestamp": stamp, "hook": hook}) + "\n"


def folder_of(change: Change, text: str, fence: int = 1) -> Path:
    folder = settings.WORK_DIR / f"{change.uuid}-apply-{fence}"
    (folder / "source").mkdir(parents=True)
    (folder / "apply.log").write_text(text)
    return folder


def test_what_terraform_said_after_its_worker_died_is_brought_from_the_disk(place, operator):
    Definition.objects.create(
        environment=place,
        number=1,
        blueprint="steps",
        snapshot="0" * 64,
        sensitive={"password": "much too secret"},
        author=operator,
    )
    change = executing(place, operator, "terraform_data.a", "terraform_data.b")
    Change.objects.filter(pk=change.pk).update(fence=1)
    first = line("apply_start", "terraform_data.a", "a: Creating...")
    rest = (
        line("apply_complete", "terraform_data.a", "a: much too secret", id_key="id", id_value="id-a")
        + line("apply_start", "terraform_data.b", "b: Creating...")
        + line("apply_errored", "terraform_data.b", "b: failed")
    )
    folder = folder_of(change, first + rest)
    log = LogWriter(Change.objects.get(pk=change.pk), 1, Redactor())
    log.write("Initializing...\na: Creating...\n")
    log.close()
    told(change, "terraform_data.a", state="running")
    Change.objects.filter(pk=change.pk).update(fence=2)
    aftermath.close_books(ended(change))
    # It was running when the worker died; the file knows that it was made, and that b was not.
    assert found(change) == {"terraform_data.a": ("id-a", True)}
    text = read(Change.objects.get(pk=change.pk), after=0).text
    assert text.count("a: Creating...") == 1
    assert text.endswith("a: (secret)\nb: Creating...\nb: failed\n")
    assert "much too secret" not in text
    assert not folder.exists()
    assert TerraformRun.objects.get(change=change).progress["log"] == aftermath.SALVAGED


def test_a_folder_that_is_not_here_is_said(place, operator, viewer):
    change = executing(place, operator, "terraform_data.a")
    told(change, "terraform_data.a", "id-a")
    change = ended(change)
    aftermath.close_books(change)
    change = Change.objects.for_lists().get(pk=change.pk)
    assert aftermath_page.told(change, viewer)["aftermath"]["cut"]


def test_a_state_that_terraform_could_not_deliver_is_stored_first(place, operator):
    change = executing(place, operator, "terraform_data.a", "terraform_data.b")
    told(change, "terraform_data.a", "id-a")
    told(change, "terraform_data.b", "id-b")
    Change.objects.filter(pk=change.pk).update(fence=2)
    folder = folder_of(change, "")
    (folder / "source" / "errored.tfstate").write_bytes(document({"terraform_data.a": "id-a"}))
    StateLock.objects.create(environment=place, change=change, lock_id="held", holder="it", fence=1)
    aftermath.close_books(ended(change))
    version = StateVersion.objects.get(environment=place)
    assert (version.resource_count, version.change) == (1, change)
    assert not StateLock.objects.exists()
    assert found(change) == {"terraform_data.b": ("id-b", True)}


# --- the next run waits ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ("apply", "destroy"))
def test_the_next_run_is_refused_with_names_and_the_page(place, operator, mode):
    from environments.runs.actions import request_run

    change = left(place, operator, a="id-a", b="id-b")
    with pytest.raises(Conflict) as refused:
        request_run(by=by(operator), environment=place, mode=mode)
    assert "terraform_data.a, terraform_data.b" in refused.value.message
    assert f"/changes/{change.uuid}/#leftovers" in refused.value.hint
    assert AuditEvent.objects.filter(action="change.request", outcome="refused").exists()


def test_a_plan_and_other_environments_go_on(place, other, operator):
    from environments.runs.actions import request_run

    left(place, operator, a="id-a")
    planned(other, operator, [row("terraform_data.a", "create")])
    for environment, mode in ((place, "plan"), (other, "apply"), (other, "destroy")):
        change = request_run(by=by(operator), environment=environment, mode=mode)
        assert claims.waiting_for(change) is None


@pytest.mark.parametrize("status", (Status.REQUESTED, Status.APPROVED))
def test_who_was_in_line_already_waits_and_says_for_what(place, operator, status):
    waiting = planned(place, operator, [row("terraform_data.a", "create")])
    Change.objects.filter(pk=waiting.pk).update(status=status, approved_at=timezone.now())
    waiting = Change.objects.for_lists().get(pk=waiting.pk)
    assert claims.waiting_for(waiting) is None
    change = left(place, operator, a="id-a")
    found = claims.waiting_for(waiting)
    assert found is not None
    assert (found.change, "terraform_data.a" in found.text) == (change, True)
    change.leftovers.update(state=Leftover.State.DISMISSED)
    assert claims.waiting_for(waiting) is None


def test_until_it_is_worked_out_the_next_run_waits_too(place, operator):
    waiting = planned(place, operator, [row("terraform_data.a", "create")])
    Change.objects.filter(pk=waiting.pk).update(status=Status.APPROVED, approved_at=timezone.now())
    waiting = Change.objects.for_lists().get(pk=waiting.pk)
    change = ended(executing(place, operator, "terraform_data.a"))
    found = claims.waiting_for(waiting)
    assert found is not None
    assert "not worked out yet" in found.text
    aftermath.close_books(change)
    assert claims.waiting_for(waiting) is None


def test_a_destroy_imports_nothing_so_it_waits_for_what_is_marked(place, operator):
    change = left(place, operator, a="id-a")
    change.leftovers.update(state=Leftover.State.IMPORTING)
    assert blocking.blocker(place, "apply") is None
    blocked = blocking.blocker(place, "destroy")
    assert blocked is not None
    assert "A destroy imports nothing" in blocked.text


def test_an_approved_plan_from_before_the_import_is_no_longer_the_one(place, operator):
    from environments.changes.kinds import kind_of
    from environments.runs import bases

    waiting = planned(place, operator, [row("terraform_data.a", "create")])
    base = bases.base_of(waiting.terraform_run, store.position(place), {})
    waiting.proposal.base = base
    waiting.proposal.save()
    assert kind_of(waiting).base_moved(waiting) is None
    change = left(place, operator, a="id-a")
    change.leftovers.update(state=Leftover.State.IMPORTING)
    assert "to be imported has changed" in kind_of(waiting).base_moved(waiting)


def test_a_run_blocked_by_leftovers_stands_in_nobodys_way(place, operator, tenant):
    """A change of another kind on the same state goes on: it may be what mends it."""
    first = planned(place, operator, [row("terraform_data.a", "create")])
    Change.objects.filter(pk=first.pk).update(status=Status.APPROVED, approved_at=timezone.now())
    second = planned(place, operator, [row("terraform_data.a", "create")], mode="apply")
    Change.objects.filter(pk=second.pk).update(status=Status.APPROVED, approved_at=timezone.now())
    second = Change.objects.for_lists().get(pk=second.pk)
    assert claims.in_front(second, [f"state:{place.key}"]) == [first]
    left(place, operator, a="id-a")
    assert claims.in_front(second, [f"state:{place.key}"]) == []


# --- after an import -------------------------------------------------------------------------------


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


def test_progress_keeps_terraforms_times_and_words(place, operator):
    from environments.runs.progress import Progress
    from portal.terraform.events import parse_line

    change = executing(place, operator, "terraform_data.a")
    progress = Progress(change, Redactor(["much too secret"]))
    diagnostic = {
        "@message": "Error",
        "type": "diagnostic",
        "diagnostic": {
            "severity": "error",
            "summary": "No much too secret",
            "detail": "it said no",
            "address": "terraform_data.a",
        },
    }
    events = [
        line("apply_start", "terraform_data.a", "a: Creating..."),
        line("apply_errored", "terraform_data.a", "a: failed"),
        json.dumps(diagnostic),
    ]
    for _again in range(2):
        progress([parse_line(text) for text in events])
    kept = ResourceProgress.objects.get(change=change)
    assert kept.state == "failed"
    assert kept.started_at.isoformat() == "2026-01-01T10:00:00+00:00"
    assert kept.error.startswith("Error: No (secret)")
    assert "it said no" in kept.error
