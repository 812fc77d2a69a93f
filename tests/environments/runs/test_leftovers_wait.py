"""The next run of the environment waits for people's word about what an apply left; others do not."""

from __future__ import annotations

import pytest
from django.utils import timezone

from environments.changes import claims
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.runs.leftovers import aftermath, blocking
from environments.runs.models import Leftover
from environments.runs.states import store
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict
from tests.cast import by
from tests.environments.runs.crafted import planned, row
from tests.environments.runs.leaving import ended, executing, left

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("work_dir")]


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
