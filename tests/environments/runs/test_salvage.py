"""What lies in a dead worker's folder is brought home: Terraform's last words and a state it could not deliver."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings

from environments.changes.log import LogWriter, read
from environments.changes.models import Change
from environments.models import Definition
from environments.runs.leftovers import aftermath, aftermath_page
from environments.runs.models import ResourceProgress, StateLock, StateVersion, TerraformRun
from portal.core.redaction import Redactor
from tests.environments.runs.leaving import document, ended, executing, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("work_dir")]


def found(change: Change) -> dict[str, tuple[str, bool]]:
    """Leftovers of the change: address -> (id, surely made)."""
    return {row.address: (row.resource_id, row.made_at is not None) for row in change.leftovers.all()}


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
