"""The approved plan and no other, with the real Terraform: states that move, files that change, folders that go."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from django.urls import reverse

from environments.blueprints import snapshots
from environments.changes import actions, retries
from environments.changes.lifecycle import Status
from environments.changes.models import Artefact, Vote
from environments.runs import applying
from environments.runs.actions import request_run
from environments.runs.models import StateVersion
from environments.runs.states import store
from environments.runs.workspace import ARCHIVE
from tests.cast import by
from tests.environments.runs.conftest import Story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.terraform, pytest.mark.slow]


def approve(change, approver):
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    return change


@pytest.fixture
def prod(production, operator, tmp_path):
    return Story(production, operator, tmp_path / "counter")


def test_files_that_changed_on_disk_since_the_vote_are_not_what_runs(prod, approver, settings, tmp_path):
    here = Path(__file__).parent / "blueprints"
    settings.BLUEPRINT_DIRS = [shutil.copytree(here, tmp_path / "blueprints")]
    snapshots._seen.clear()
    prod.define(steps=1)
    change = approve(prod.work(prod.request()), approver)
    main = tmp_path / "blueprints" / "steps" / "main.tf"
    main.write_text(main.read_text() + '\nresource "terraform_data" "smuggled" {}\n')
    change = prod.work(change)
    assert change.status == Status.SUCCEEDED, change.error_message
    assert not prod.environment.resources.filter(address__contains="smuggled").exists()
    assert change.proposal.number == 1


def test_a_folder_that_is_gone_is_planned_again_and_the_votes_stay(prod, approver):
    prod.define(steps=1)
    change = approve(prod.work(prod.request()), approver)
    Artefact.objects.filter(proposal=change.proposal, name=ARCHIVE).delete()
    change = prod.work(change)
    assert (change.status, change.proposal.number, prod.counted) == (Status.APPROVED, 2, 0)
    assert prod.work(change).status == Status.SUCCEEDED
    assert prod.counted == 1


def test_a_state_written_by_hand_asks_again_and_says_what_differs(prod, approver, operator, admin, sign_in):
    """Somebody's terraform wrote a state of the same serial without one step: the approved plan does not fit it."""
    prod.define(steps=2)
    assert prod.work(approve(prod.work(prod.request()), approver)).status == Status.SUCCEEDED
    prod.define(steps=2, label="other")
    change = approve(prod.work(prod.request()), approver)
    newest = store.current(prod.environment)
    document = json.loads(newest.content)
    document["resources"] = [one for one in document["resources"] if one["name"] != "holder"]
    body = json.dumps(document).encode()
    StateVersion.objects.create(
        environment=prod.environment,
        number=newest.number + 1,
        lineage=newest.lineage,
        serial=newest.serial,
        md5="0" * 32,
        size=len(body),
        resource_count=2,
        content=body,
        written_by="a person",
    )
    counted = prod.counted
    change = prod.work(change)
    assert (change.status, change.proposal.number) == (Status.AWAITING_APPROVAL, 2)
    assert prod.counted == counted
    url = reverse("changes:differences", args=[change.uuid])
    text = sign_in(approver).get(url).content.decode()
    assert "terraform_data.holder" in text
    assert "new here: create" in text


def test_a_retry_of_what_is_left_runs_on_the_old_votes(prod, approver, operator, monkeypatch):
    prod.define(steps=2)
    change = approve(prod.work(prod.request()), approver)
    with monkeypatch.context() as broken:
        broken.setattr(applying, "initialise", lambda *args: 1 / 0)
        assert prod.work(change).status == Status.FAILED
    part = request_run(
        by=by(operator), environment=prod.environment, mode="apply", targets=["terraform_data.holder"]
    )
    assert prod.work(approve(prod.work(part), approver)).status == Status.SUCCEEDED
    again = prod.work(retries.retry(by=by(operator), change=change))
    assert again.status == Status.APPROVED, again.proposal.facts.get("beyond")
    assert again.proposal.digest != change.proposal.digest
    assert again.proposal.facts["counts"] == {"create": 2}
    (vote,) = Vote.objects.filter(proposal=again.proposal)
    assert vote.carried_from.proposal == change.proposal
    assert prod.work(again).status == Status.SUCCEEDED
    assert prod.counted == 2


def test_what_failed_halfway_would_be_replaced_so_it_asks_again(prod, approver, operator):
    # `sleep -1` ends the step's script with an error: Terraform marks the step as tainted.
    prod.define(steps=1, seconds=-1)
    change = approve(prod.work(prod.request()), approver)
    assert prod.work(change).status == Status.FAILED
    again = prod.work(retries.retry(by=by(operator), change=change))
    assert again.status == Status.AWAITING_APPROVAL
    assert again.proposal.facts["beyond"]["new"] == ["Replace terraform_data.step[0]"]
    assert not Vote.objects.filter(proposal__change=again).exists()
    assert prod.work(again).status == Status.AWAITING_APPROVAL
    assert prod.counted == 1
