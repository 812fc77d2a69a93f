"""A run masks what its definition, its plan and its states know, what is born while it applies, and drift errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from environments.changes import log
from environments.changes.kinds import ToolFailure
from environments.changes.log import LogWriter
from environments.changes.models import Artefact
from environments.runs import known_secrets, workspace
from environments.runs.drift import plan
from environments.runs.models import ResourceProgress, StateVersion
from portal.core.redaction import MASK, Redactor
from tests.environments.runs import states
from tests.environments.runs.secret_scanner import random_word

pytestmark = pytest.mark.django_db


def deliver(place, value: str) -> None:
    """Terraform's next state, with an output that it marks."""
    number = place.state_versions.count() + 1
    body = states.body(serial=number, outputs={"born": {"value": value, "type": "string", "sensitive": True}})
    StateVersion.objects.create(
        environment=place,
        number=number,
        lineage="x",
        serial=number,
        size=1,
        md5="",
        content=body,
        written_by="r",
    )


def test_what_an_apply_gives_birth_to_is_masked_and_blotted_out(told, vaulted):
    early, late = random_word(), random_word()
    writer = LogWriter(told, told.fence, Redactor())
    learner = known_secrets.Learner(vaulted, writer.redactor)
    learner()
    writer.write(f"one: {early}")
    ResourceProgress.objects.create(change=told, address="a.b", action="create", resource_id=early)
    told.refresh_from_db()
    size = told.log_size
    deliver(vaulted, early)
    learner()
    writer.write(f"two: {early}")
    assert early in log.read(told, after=0).text, (
        "asked again within the second, so that the database has peace"
    )
    learner.learn()
    writer.write(f"three: {early} and {late}")
    writer.close()
    assert learner.learned
    known_secrets.scrub(told, writer.redactor)
    text = log.read(told, after=0).text
    assert early not in text
    assert f"three: {MASK} and {late}" in text
    assert log.read(told, after=size).text.startswith("two: ")
    assert ResourceProgress.objects.get().resource_id == MASK


def test_a_state_that_says_nothing_new_causes_no_work(told, vaulted):
    value = random_word()
    deliver(vaulted, value)
    redactor = known_secrets.redactor_for(told)
    learner = known_secrets.Learner(vaulted, redactor)
    learner.learn()
    deliver(vaulted, value)
    learner.learn()
    assert not learner.learned


def test_whoever_salvages_knows_definition_state_and_plan(told, vaulted, secrets):
    planned, signed_in = random_word(), random_word()
    head = json.dumps({"root": "source", "secrets": [planned]}).encode()
    Artefact.objects.filter(change=told).delete()
    Artefact.objects.create(
        change=told, proposal=told.proposal, name=workspace.ARCHIVE, sha256="0", content=head + b"\n"
    )
    known = secrets.secrets
    words = [known["sensitive"], known["marked"], known["container"], planned]
    assert known_secrets.redactor_for(told).redact(" ".join(words)) == " ".join([MASK] * len(words))
    assert signed_in not in known_secrets.redactor_for(told)._known


def test_a_folder_tells_its_finder_what_to_mask(tmp_path: Path):
    word, later = random_word(), random_word()
    made = workspace.Workspace(tmp_path, tmp_path / "source", {}, None, [word])  # type: ignore[arg-type]
    made.note()
    made.note(later)
    assert set(workspace.noted_secrets(tmp_path)) == {word, later} == set(made.secrets)
    assert (tmp_path / workspace.SECRETS_FILE).stat().st_mode & 0o077 == 0
    assert workspace.noted_secrets(tmp_path / "nowhere") == []
    (tmp_path / workspace.SECRETS_FILE).write_text("{")
    assert workspace.noted_secrets(tmp_path) == []


def test_the_plan_folder_carries_what_the_plan_knew(tmp_path: Path):
    word = random_word()
    for name in ("one", "two"):
        (tmp_path / name / "source").mkdir(parents=True)
    packed = workspace.Workspace(tmp_path / "one", tmp_path / "one" / "source", {}, None, [word])  # type: ignore[arg-type]
    artefact = Artefact(content=workspace.pack(packed))
    laid_out = workspace.Workspace(tmp_path / "two", tmp_path / "two", {}, None)  # type: ignore[arg-type]
    workspace.restore(laid_out, artefact)
    assert laid_out.secrets == [word]
    assert laid_out.root == tmp_path / "two" / "source"


def test_an_error_of_a_look_at_drift_is_redacted(told, secrets, monkeypatch, settings, tmp_path: Path):
    settings.WORK_DIR = tmp_path / "work"
    known = secrets.secrets
    words = f"bad {known['sensitive']} and {known['marked']} at amqps://u:{known['logged'][:9]}@mq/"

    def refuse(*_arguments: object, **_options: object) -> int:
        raise ToolFailure(words)

    monkeypatch.setattr(plan, "_run", refuse)
    with pytest.raises(ToolFailure) as failure:
        plan.differences(told.terraform_run)
    assert failure.value.message == f"bad {MASK} and {MASK} at amqps://u:{MASK}@mq/"
    assert failure.value.__cause__ is None
