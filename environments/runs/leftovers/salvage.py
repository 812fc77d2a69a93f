"""What a dead worker left in its folder on this machine: the rest of Terraform's log, a state not delivered.

Terraform writes to a file and its guard outlives the worker, so what it said last stands only there. Whoever can
prove Terraform's death stands on the same machine, and so can read it.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from environments.changes.log import LogWriter
from environments.changes.models import Change
from environments.runs import known_secrets
from environments.runs.progress import Progress
from environments.runs.states import undelivered
from environments.runs.workspace import noted_secrets
from portal.accounts.principals import Principal
from portal.core.errors import GatehouseError
from portal.core.redaction import Redactor, mask_forms
from portal.terraform.events import human_line, parse_line
from portal.terraform.follow import LogFollower

logger = logging.getLogger(__name__)
LOG = "apply.log"


def folder_of(change: Change) -> Path | None:
    """The apply's folder, if it is on this machine: where the row says, whichever worker's folder that is."""
    told = Path(change.tool_process.get("folder") or "-")
    if told.is_dir() and told.name.startswith(f"{change.uuid}-apply-"):
        return told
    return next(iter(sorted(settings.WORK_DIR.glob(f"{change.uuid}-apply-*"))), None)


def salvage(change: Change, *, by: Principal) -> bool:
    """Bring what lies in the folder into the database and delete it. False: there is no folder here.

    Its Terraform must be dead. May be called again after a death in the middle: nothing comes twice.
    """
    folder = folder_of(change)
    if folder is None:
        return False
    fence = int(folder.name.rpartition("-")[2])
    for path in list(folder.rglob(undelivered.UNDELIVERED)):
        _keep(change, path, fence=fence, by=by)
    if (folder / LOG).exists():
        _ship(change, folder / LOG, fence)
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _keep(change: Change, path: Path, *, fence: int, by: Principal) -> None:
    try:
        undelivered.keep(change, path, fence=fence, by=by)
    except GatehouseError as refused:
        undelivered.put_aside(change, path, why=refused.message)


def _ship(change: Change, path: Path, fence: int) -> None:
    """The events into the progress, and what the log lacks of their text after it."""
    redactor = known_secrets.redactor_for(change)
    redactor.add(noted_secrets(path.parent))
    progress = Progress(change, redactor)
    follower = LogFollower(path)
    text: list[str] = []
    while lines := follower.read() or follower.rest():
        events = [parse_line(line) for line in lines]
        progress(events)
        text += [f"{line}\n" for line in map(human_line, events) if line]
    if change.log_chunks.filter(fence__gt=fence).exists():
        return  # shipped by one who died before the folder was gone
    missing = _missing(change, fence, mask_forms(redactor.redact("".join(text))))
    if missing:
        change.refresh_from_db(fields=["fence"])
        log = LogWriter(change, change.fence, Redactor())
        log.write(_("The worker died here; the rest was found on its disk:") + "\n" + missing)
        log.close()
    known_secrets.scrub(change, redactor)


def _missing(change: Change, fence: int, whole: str) -> str:
    """What of Terraform's text the dead worker had not stored: all after the longest beginning that it had.

    When the two do not fit (the dead worker masked more than is known here), the whole is given: rather
    a line twice than a line lost.
    """
    stored = "".join(chunk.text for chunk in change.log_chunks.filter(fence=fence).order_by("offset"))
    first = whole.partition("\n")[0]
    start = stored.rfind(first) if first else -1
    while start != -1:
        if whole.startswith(stored[start:]):
            return whole[len(stored) - start :]
        start = stored.rfind(first, 0, start)
    return whole
