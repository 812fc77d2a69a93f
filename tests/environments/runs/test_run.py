"""A run from request to result, with the real binary: plan, gate, apply of the saved plan, inventory."""

import pytest
from django.db import connection

from environments.changes import actions, log
from environments.changes.lifecycle import Status
from environments.changes.models import Artefact, LogChunk
from environments.models import Resource
from environments.runs.models import Output, ResourceChange, StateLock, StateVersion
from portal.core.errors import InvalidInput, NotAllowed
from tests.cast import by
from tests.environments.runs.conftest import SECRET, Story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.terraform, pytest.mark.slow]


def test_apply_from_nothing_then_nothing_to_do_then_destroy(story):
    story.define()
    change = story.work(story.request(reason="first"))
    assert change.status == Status.APPROVED, change.error_message
    assert change.summary == "3 to create"
    assert ResourceChange.objects.filter(proposal=change.proposal, action="create").count() == 3
    change = story.work(change)
    assert change.status == Status.SUCCEEDED, change.error_message
    assert story.counted == 2
    assert Resource.objects.filter(environment=story.environment).count() == 3
    assert Output.objects.get(environment=story.environment, name="password").sensitive
    assert StateVersion.objects.filter(environment=story.environment).exists()
    assert not StateLock.objects.exists()
    text = log.read(change, after=0).text
    assert "Apply complete" in text or "apply_complete" in text or "Creation complete" in text

    assert story.work(story.request()).status == Status.NO_CHANGES
    planned = story.work(story.request("plan"))
    assert planned.status == Status.PLANNED

    change = story.apply(mode="destroy")
    assert change.status == Status.SUCCEEDED, change.error_message
    assert not Resource.objects.filter(environment=story.environment).exists()


def test_production_is_read_approved_by_another_and_applied(production, operator, approver, tmp_path):
    story = Story(production, operator, tmp_path / "counter")
    story.define(steps=1)
    change = story.work(story.request())
    assert change.status == Status.AWAITING_APPROVAL
    with pytest.raises(NotAllowed):
        actions.approve(by=by(operator), change=change, digest=change.proposal.digest)
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert story.work(change).status == Status.SUCCEEDED
    assert story.counted == 1


def test_a_destroy_of_production_wants_its_name(production, operator, tmp_path):
    story = Story(production, operator, tmp_path / "counter")
    story.define()
    with pytest.raises(InvalidInput) as wrong:
        story.request("destroy")
    assert "confirm_name" in wrong.value.errors


def test_a_wrong_variable_is_terraforms_refusal_in_clear(story):
    story.define(label="UPPER")
    change = story.work(story.request())
    assert (change.status, change.error_kind) == ("failed", "tool")
    assert "Use small letters only" in change.error_message


def test_a_state_that_moved_makes_it_plan_again(story):
    story.define()
    waiting = story.work(story.request(start="manual"))
    assert waiting.status == Status.APPROVED
    assert story.apply().status == Status.SUCCEEDED
    actions.start(by=by(story.operator), change=waiting)
    again = story.work(waiting)
    assert again.status == Status.NO_CHANGES
    assert story.counted == 2


def test_the_saved_plan_is_applied_not_a_newer_definition(story):
    story.define(steps=1)
    change = story.work(story.request())
    story.define(steps=5)
    assert story.work(change).status == Status.SUCCEEDED
    assert story.counted == 1


def test_no_secret_in_log_plan_rows_inventory_or_artefact(story):
    story.define()
    change = story.apply()
    assert SECRET not in log.read(change, after=0).text
    for row in ResourceChange.objects.filter(proposal__change=change):
        assert SECRET not in str(row.detail)
    for resource in Resource.objects.all():
        assert SECRET not in str(resource.attributes)
    # The keeper itself reads it in clear: so what is looked for below really is in there.
    assert SECRET.encode() in bytes(StateVersion.objects.order_by("-number").first().content)
    with connection.cursor() as cursor:
        for table, column in ((Artefact, "content"), (StateVersion, "content"), (LogChunk, "text")):
            cursor.execute(f"SELECT {column} FROM {table._meta.db_table}")
            assert all(SECRET.encode() not in bytes(row[0]) for row in cursor.fetchall())


def test_nothing_is_left_on_the_workers_disk(story, settings):
    story.define()
    story.apply()
    assert [path.name for path in settings.WORK_DIR.iterdir()] == ["terraform"]
