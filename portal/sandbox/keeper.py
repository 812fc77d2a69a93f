"""Keeps the sandbox's content in its data folder: restored at start, saved when it changed."""

import fcntl
import logging
import os
import stat
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from portal.sandbox import snapshot
from portal.sandbox.gate import RequestGate

log = logging.getLogger(__name__)

FILE_NAME = "snapshot"
_PATIENCE = 2.0  # seconds to hold back new requests while the last ones finish
_WARN_AFTER = 60.0  # seconds without a successful save before it is said


class DataFolderError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


class _BusyError(Exception):
    """There was no moment without a request."""


class Keeper:
    """Owns a data folder for the life of the process; saves at most every ``save_every`` seconds.

    Raises DataFolderError when the folder belongs to another user or another sandbox uses it.
    """

    def __init__(self, folder: Path, gate: RequestGate, save_every: float) -> None:
        self._save_every = save_every
        self._folder = folder
        self._path = folder / FILE_NAME
        self._gate = gate
        self._saving = threading.Lock()
        self._saved_changes = 0
        self._last_attempt = time.monotonic()
        self._last_success = time.monotonic()
        self._last_message = ""
        self.saved_at: datetime | None = None
        self.restored_at: datetime | None = None
        self.error = ""
        self.left_out: tuple[str, ...] = ()
        self._trusted = _prepare_folder(folder)
        self._lock = _lock_folder(folder)

    @property
    def unsaved_changes(self) -> bool:
        """Whether a request may have changed something since the last save."""
        return self._gate.changes != self._saved_changes

    def restore(self) -> None:
        """Put the saved content back; what cannot be used is set aside and said in one line."""
        for unfinished in self._folder.glob(f".{FILE_NAME}.*"):
            unfinished.unlink()  # of a save that a kill cut short
        try:
            if not self._trusted:
                raise snapshot.SnapshotUnusableError("others could write to its folder")
            self.saved_at = snapshot.restore(self._path)
        except FileNotFoundError:
            log.info("no snapshot in %s: starting empty", self._folder)
        except snapshot.SnapshotUnusableError as error:
            self._set_aside(str(error))
        else:
            self.restored_at = datetime.now(UTC)
            log.info("restored the snapshot of %s", self.saved_at.isoformat(timespec="seconds"))

    def save_if_due(self) -> None:
        """Save when something changed and the last attempt is long enough ago; call it every second."""
        now = time.monotonic()
        if self.unsaved_changes and now - self._last_attempt >= self._save_every:
            self.save()

    def save(self, patience: float = _PATIENCE, *, last_chance: bool = False) -> bool:
        """Save now; returns whether it worked. Never raises: ``error`` says what went wrong.

        With ``last_chance`` requests that do not end within ``patience`` seconds are not waited for.
        """
        with self._saving:
            self._last_attempt = time.monotonic()
            try:
                self._save(patience, last_chance=last_chance)
            except Exception as error:  # noqa: BLE001
                # The sandbox must go on serving; it says so, and its health is not ok.
                self.error = str(error) or repr(error)
            else:
                self.error = ""
                self._last_success = time.monotonic()
            self._report()
            return not self.error

    def close(self) -> None:
        """Let another sandbox use the folder."""
        os.close(self._lock)

    def _save(self, patience: float, *, last_chance: bool) -> None:
        try:
            changes, content = self._take(snapshot.take, patience, last_chance=last_chance)
            snapshot.check(content)
        except _BusyError:
            raise
        except Exception as error:  # noqa: BLE001
            # Whatever one service holds, the others must still be kept.
            log.debug("not everything can be saved: %r", error)
            changes, content = self._take(snapshot.take_what_can_be_kept, patience, last_chance=last_chance)
        snapshot.write(content, self._path)
        self._saved_changes = changes
        self.saved_at = content.taken_at
        self.left_out = content.left_out

    def _take(
        self, how: Callable[[], snapshot.Content], patience: float, *, last_chance: bool
    ) -> tuple[int, snapshot.Content]:
        with self._gate.closed(patience) as empty:
            if not empty and not last_chance:
                raise _BusyError("requests were in flight all the time")
            return self._gate.changes, how()

    def _report(self) -> None:
        message = self.error or ", ".join(self.left_out)
        quiet = self.error and time.monotonic() - self._last_success < _WARN_AFTER
        if message == self._last_message or quiet:
            return
        self._last_message = message
        if self.error:
            log.error("the content could not be saved: %s", self.error)
        elif self.left_out:
            log.error("these services hold something that cannot be saved: %s", message)
        else:
            log.info("the content is saved again")

    def _set_aside(self, reason: str) -> None:
        now = datetime.now(UTC)
        name = f"{FILE_NAME}.unusable-{now:%Y%m%dT%H%M%S.%fZ}"
        try:
            self._path.rename(self._folder / name)
        except FileNotFoundError:
            log.info("no snapshot in %s: starting empty", self._folder)
            return
        log.error("the snapshot is not used: %s; kept as %s, starting empty", reason, name)


def _prepare_folder(folder: Path) -> bool:
    """Make the folder private; returns whether nobody else could have written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.stat()
        if status.st_uid != os.getuid():
            raise DataFolderError(f"{folder} belongs to another user; choose a folder of your own")
        trusted = not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        folder.chmod(0o700)
    except OSError as error:
        raise DataFolderError(f"{folder} cannot be used: {error.strerror}") from error
    return trusted


def _lock_folder(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise DataFolderError(f"another sandbox is using {folder}") from error
    return descriptor
