"""Work folders that nobody will come back to: whose process is proven dead, and that hold nothing to be saved.

A folder holds every secret of its run in clear. A phase deletes its own; what a killed worker leaves is deleted by
the next sweep on that machine: when a worker starts, every minute, and by a scheduler that shares the disk.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from django.conf import settings
from django.utils import timezone

from environments.runs.models import TerraformRun
from portal.terraform.identity import ProcessIdentity, alive, identify

logger = logging.getLogger(__name__)
OWNER_FILE = "owner.json"
UNDELIVERED = "errored.tfstate"
# Terraform's installation and its providers: not a run's.
KEPT = frozenset({"terraform"})
# A folder without an owner is one of an earlier release, or its maker died within a moment.
UNOWNED = timedelta(days=1)


def claim(folder: Path) -> None:
    """Write down whose folder it is: this process."""
    (folder / OWNER_FILE).write_text(json.dumps(identify(os.getpid()).as_dict()))


def sweep() -> int:
    """Delete the folders of the dead on this machine; returns how many. Harmless when two do it at once."""
    root: Path = settings.WORK_DIR
    if not root.exists():
        return 0
    left = [folder for folder in root.iterdir() if folder.is_dir() and folder.name not in KEPT]
    dead = [folder for folder in left if _is_ownerless(folder)]
    if not dead:
        return 0
    used = _folders_in_use()
    removed = 0
    for folder in dead:
        if any(folder in place.parents or folder == place for place in used) or _is_to_be_saved(folder):
            continue
        shutil.rmtree(folder, ignore_errors=True)
        removed += 1
    return removed


def _is_ownerless(folder: Path) -> bool:
    """Whether the process that made it is proven dead. One of another machine or container is left alone."""
    try:
        owner = ProcessIdentity(**json.loads((folder / OWNER_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return _age(folder) > UNOWNED
    return alive(owner) is False


def _age(folder: Path) -> timedelta:
    try:
        changed = folder.stat().st_mtime
    except OSError:
        return timedelta()
    return timezone.now() - datetime.fromtimestamp(changed, tz=UTC)


def _folders_in_use() -> list[Path]:
    """Where processes stand: Terraform outlives its worker for as long as it takes to save its state."""
    found = []
    for process in psutil.process_iter():
        try:
            found.append(Path(process.cwd()))
        except (psutil.Error, OSError):
            continue
    return found


def _is_to_be_saved(folder: Path) -> bool:
    """Whether an apply's log or state in it may still have to be brought into the database (salvage.py)."""
    uuid, apply, _fence = folder.name.rpartition("-apply-")
    if apply and TerraformRun.objects.filter(change__uuid=uuid, unreckoned=True).exists():
        return True
    if any(folder.rglob(UNDELIVERED)):
        logger.error("A state that Terraform could not deliver lies in %s: store it by hand", folder)
        return True
    return False
