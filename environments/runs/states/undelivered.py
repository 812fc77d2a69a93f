"""A state that Terraform could not deliver, stored before anything else is let go of."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from environments.changes.models import Artefact, Change
from environments.runs.models import StateLock, StateVersion
from environments.runs.states import store
from portal.accounts.principals import Principal

logger = logging.getLogger(__name__)
UNDELIVERED = "errored.tfstate"
# Under this name a change keeps a state that could not become a version.
PUT_ASIDE = "undelivered-state"


def keep(change: Change, path: Path, *, fence: int, by: Principal) -> StateVersion | None:
    """Store the file as the next version, under the lock that its Terraform holds or held; None without one.

    Raises what state.write raises: Conflict, InvalidInput.
    """
    if not path.exists():
        return None
    environment = change.environment
    held = StateLock.objects.filter(environment=environment, change=change).first()
    writer = store.Writer(change.title, change, held.fence if held else fence)
    if held is None:
        held = store.lock(environment, {"ID": f"undelivered-{change.uuid}"}, writer=writer, by=by)
    version = store.write(environment, path.read_bytes(), lock_id=held.lock_id, writer=writer, by=by)
    store.unlock(environment, lock_id=held.lock_id, writer=writer, by=by)
    # Only now: a folder that still holds the file is not deleted by anybody.
    path.unlink()
    return version


def put_aside(change: Change, path: Path, *, why: str) -> None:
    """Keep a state that the room refuses (a newer one came first) with its change, encrypted: nothing is thrown away."""
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    Artefact.objects.get_or_create(
        change=change, name=PUT_ASIDE, sha256=sha256, defaults={"content": content}
    )
    logger.error("The undelivered state of %s became no version: %s", change.uuid, why)
    path.unlink()
