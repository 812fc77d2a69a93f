"""Work folders of the dead go within a minute; those of the living, and those with something to save, stay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from environments.runs import folders
from environments.runs.models import TerraformRun
from portal.scheduler import workers
from portal.scheduler.registry import registered, registered_on_each_worker
from portal.terraform.identity import identify
from tests.environments.runs.crafted import planned, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(settings, tmp_path: Path) -> Path:
    settings.WORK_DIR = tmp_path / "work"
    settings.WORK_DIR.mkdir()
    return settings.WORK_DIR


def ended_process() -> dict[str, object]:
    """The identity of a process that was and is no more."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = identify(child.pid).as_dict()
    child.communicate(b"\n")
    return identity


def folder(root: Path, name: str, owner: object = None) -> Path:
    made = root / name
    (made / "source").mkdir(parents=True)
    (made / "source" / "gatehouse.tfplan").write_text("a secret in clear")
    if owner is not None:
        (made / folders.OWNER_FILE).write_text(json.dumps(owner))
    return made


def test_a_dead_workers_folder_goes_at_once(root):
    folder(root, f"{uuid4()}-plan-1", ended_process())
    folder(root, f"{uuid4()}-drift", ended_process())
    folder(root, "terraform")
    assert folders.sweep() == 2
    assert [path.name for path in root.iterdir()] == ["terraform"]
    assert folders.sweep() == 0


def test_a_living_workers_folder_stays(root):
    mine = folder(root, f"{uuid4()}-plan-1")
    folders.claim(mine)
    elsewhere = {**ended_process(), "host": "another-machine"}
    folder(root, f"{uuid4()}-plan-2", elsewhere)
    assert folders.sweep() == 0
    assert len(list(root.iterdir())) == 2


def test_a_folder_in_which_terraform_still_saves_its_state_stays_until_it_ends(root):
    busy = folder(root, f"{uuid4()}-apply-1", ended_process())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=busy / "source")
    try:
        assert folders.sweep() == 0
        assert busy.exists()
    finally:
        child.communicate(b"\n")
    assert folders.sweep() == 1


def test_what_is_to_be_saved_first_stays(root, tenant, operator):
    from environments.models import Environment

    place = Environment.objects.create(tenant=tenant, slug="s", name="s", blueprint="steps")
    change = planned(place, operator, [row("a.b", "create")])
    TerraformRun.objects.filter(change=change).update(unreckoned=True)
    unreckoned = folder(root, f"{change.uuid}-apply-1", ended_process())
    undelivered = folder(root, f"{uuid4()}-apply-1", ended_process())
    (undelivered / "source" / folders.UNDELIVERED).write_text("{}")
    assert folders.sweep() == 0
    TerraformRun.objects.filter(change=change).update(unreckoned=False)
    assert folders.sweep() == 1
    assert not unreckoned.exists()
    assert undelivered.exists()


def test_a_folder_without_an_owner_goes_after_a_day(root):
    old, fresh = folder(root, "old"), folder(root, "fresh")
    long_ago = (timezone.now() - timedelta(days=2)).timestamp()
    os.utime(old, (long_ago, long_ago))
    assert folders.sweep() == 1
    assert fresh.exists()
    damaged = folder(root, "damaged")
    (damaged / folders.OWNER_FILE).write_text("{")
    assert folders.sweep() == 0


def test_every_worker_sweeps_its_own_disk_from_its_start_on(root):
    folder(root, f"{uuid4()}-plan-1", ended_process())
    assert registered()["runs.folders"].seconds <= 60
    assert registered_on_each_worker()["runs.folders"].seconds <= 60
    pulse = workers.WorkerPulse(queues=["changes"])
    pulse.run_due()
    assert not list(root.iterdir())
    again = folder(root, f"{uuid4()}-plan-2", ended_process())
    pulse.run_due()
    assert again.exists(), "it is not time yet"
    pulse._ran_at["runs.folders"] = time.monotonic() - 61
    pulse.run_due()
    assert not again.exists()
