"""A state that Terraform could not deliver, stored before anything else is let go of."""

from __future__ import annotations

from pathlib import Path

from environments.changes.models import Change
from environments.runs import state
from environments.runs.models import StateLock, StateVersion
from portal.accounts.principals import Principal

UNDELIVERED = "errored.tfstate"


def keep(change: Change, path: Path, *, fence: int, by: Principal) -> StateVersion | None:
    """Store the file as the next version, under the lock that its Terraform holds or held; None without one.

    Raises what state.write raises: Conflict, InvalidInput.
    """
    if not path.exists():
        return None
    environment = change.environment
    held = StateLock.objects.filter(environment=environment, change=change).first()
    writer = state.Writer(change.title, change, held.fence if held else fence)
    if held is None:
        held = state.lock(environment, {"ID": f"undelivered-{change.uuid}"}, writer=writer, by=by)
    version = state.write(environment, path.read_bytes(), lock_id=held.lock_id, writer=writer, by=by)
    state.unlock(environment, lock_id=held.lock_id, writer=writer, by=by)
    return version
