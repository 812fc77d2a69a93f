"""A message spool in one folder, shared by any number of processes of one machine.

    FOLDER/tmp/                messages being written
    FOLDER/ready/QUEUE/        waiting messages; names sort by time
    FOLDER/claimed/OWNER/QUEUE/  taken by a consumer and not yet acknowledged
    FOLDER/bindings/EXCHANGE/  the queues an exchange reaches, one small file each
    FOLDER/unreadable/         files that hold no message, kept for a person

Every step is one `rename`, which POSIX makes atomic: whoever dies when, a message is in exactly one folder.
"""

import itertools
import json
import logging
import os
import secrets
import shutil
import time
from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from portal.broker.owner import own_folder, proof_of_death, safe_name

logger = logging.getLogger(__name__)

SUFFIX = ".msg"
# Unfinished files of a writer that died; nobody writes for this long.
ABANDONED_SECONDS = 3600.0
RECOVER_SECONDS = 5.0

_counter = itertools.count()


class Claim(NamedTuple):
    """A message taken from a queue; `tag` names it towards the spool until it is acknowledged."""

    tag: str
    payload: dict[str, Any]


class Binding(NamedTuple):
    """One way from an exchange to a queue. `owner` is set for queues that end with their process."""

    routing_key: str
    pattern: str | None
    queue: str
    owner: str = ""


def message_name() -> str:
    """A name that sorts by time over all processes and boots, and is never given twice."""
    return f"{time.time_ns():020d}-{next(_counter):08d}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"


def written_at(name: str) -> float:
    """When the message called `name` was put, in seconds since the epoch."""
    return int(name.partition("-")[0]) / 1e9


class Spool:
    """The spool at `root` (made with mode 0700). One object per thread; any number of objects."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        for folder in (
            self.root,
            *(self.root / part for part in ("tmp", "ready", "claimed", "bindings", "unreadable")),
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.root.stat().st_mode & 0o077:
            self.root.chmod(0o700)
        self._listed: dict[str, deque[str]] = {}
        self._bindings: dict[str, Binding] = {}
        self._recovered_at = float("-inf")

    @property
    def owner(self) -> str:
        """The name under which this process claims."""
        return self._claims().name

    # -- messages

    def put(self, queue: str, payload: dict[str, Any], *, durable: bool = True) -> None:
        """Add a message to `queue`; with `durable` it is on the disk when this returns."""
        name = message_name()
        temporary = self._write(self.root / "tmp" / name, json.dumps(payload).encode(), durable=durable)
        ready = self._ready(queue)
        try:
            temporary.rename(ready / name)
        except FileNotFoundError:
            ready.mkdir(mode=0o700, exist_ok=True)
            temporary.rename(ready / name)
        if durable:
            _sync_folder(ready)

    def take(self, queue: str, *, max_age: float | None = None) -> Claim | None:
        """Claim the oldest message of `queue`, or None. Messages older than `max_age` seconds are dropped."""
        for source in self._waiting(queue):
            if max_age is not None and time.time() - written_at(source.name) > max_age:
                source.unlink(missing_ok=True)
                continue
            taken = self._claims() / safe_name(queue) / source.name
            try:
                taken.parent.mkdir(mode=0o700, exist_ok=True)
                source.rename(taken)
            except FileNotFoundError:
                continue  # another consumer was first
            payload = self._read(taken)
            if payload is not None:
                return Claim(f"{taken.parent.name}/{taken.name}", payload)
        return None

    def acknowledge(self, tag: str) -> None:
        """The claimed message is done with."""
        (self._claims() / tag).unlink(missing_ok=True)

    def give_back(self, tag: str) -> bool:
        """Return a claimed message to its old place in its queue; False when it is no longer claimed here."""
        try:
            (self._claims() / tag).rename(self.root / "ready" / tag)
        except FileNotFoundError:
            return False
        return True

    def size(self, queue: str) -> int:
        """How many messages of `queue` wait (claimed ones not counted)."""
        return len(_message_names(self._ready(queue)))

    def purge(self, queue: str) -> int:
        """Drop every waiting message of `queue`; how many."""
        dropped = 0
        for name in _message_names(self._ready(queue)):
            try:
                (self._ready(queue) / name).unlink()
            except FileNotFoundError:
                continue  # taken meanwhile
            dropped += 1
        return dropped

    # -- bindings

    def bind(self, exchange: str, binding: Binding) -> None:
        """Let `exchange` reach the binding's queue. An immutable file each needs no lock."""
        content = json.dumps(binding).encode()
        target = self.root / "bindings" / safe_name(exchange) / f"{sha256(content).hexdigest()}.json"
        if not target.exists():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            self._write(self.root / "tmp" / message_name(), content, durable=False).rename(target)

    def bindings(self, exchange: str) -> list[Binding]:
        """The bindings of `exchange`, in no order."""
        return [binding for _, binding in self._binding_files(safe_name(exchange))]

    def unbind(self, exchange: str, queue: str, routing_key: str | None = None) -> None:
        """Remove the bindings of `exchange` to `queue` (with `routing_key`: only those)."""
        for path, binding in self._binding_files(safe_name(exchange)):
            if binding.queue == queue and routing_key in (None, binding.routing_key):
                path.unlink(missing_ok=True)

    def drop_queue(self, queue: str) -> None:
        """Remove the folder of `queue` with its messages."""
        shutil.rmtree(self._ready(queue), ignore_errors=True)

    # -- recovery

    def recover_if_due(self) -> int:
        """`recover`, at most every RECOVER_SECONDS."""
        if time.monotonic() - self._recovered_at < RECOVER_SECONDS:
            return 0
        self._recovered_at = time.monotonic()
        return self.recover()

    def recover(self) -> int:
        """Return the claims of dead processes to their queues; how many messages came back."""
        restored = 0
        for folder in list((self.root / "claimed").iterdir()):
            with proof_of_death(folder) as dead:
                if dead:
                    restored += self._restore(folder)
        self._forget_dead_bindings()
        for path in list((self.root / "tmp").glob(f"*{SUFFIX}")):
            if time.time() - written_at(path.name) > ABANDONED_SECONDS:
                path.unlink(missing_ok=True)
        return restored

    def _restore(self, folder: Path) -> int:
        restored = 0
        for path in sorted(folder.glob(f"*/*{SUFFIX}")):
            target = self.root / "ready" / path.parent.name
            target.mkdir(mode=0o700, exist_ok=True)
            path.rename(target / path.name)
            restored += 1
        shutil.rmtree(folder)
        if restored:
            logger.warning("Took back %d message(s) from %s, which died.", restored, folder.name)
        return restored

    def _forget_dead_bindings(self) -> None:
        """Queues that belong to a process (replies, remote control) go when it is gone."""
        found = [
            (path, binding)
            for exchange in list((self.root / "bindings").iterdir())
            for path, binding in self._binding_files(exchange.name)
        ]
        # Listed after the bindings: an owner exists before its first binding does.
        living = {folder.name for folder in (self.root / "claimed").iterdir()}
        dead = [(path, binding) for path, binding in found if binding.owner and binding.owner not in living]
        for path, _ in dead:
            path.unlink(missing_ok=True)
        still_bound = {binding.queue for _, binding in found} - {binding.queue for _, binding in dead}
        for queue in {binding.queue for _, binding in dead} - still_bound:
            self.drop_queue(queue)

    # -- files

    def _ready(self, queue: str) -> Path:
        return self.root / "ready" / safe_name(queue)

    def _claims(self) -> Path:
        return own_folder(self.root / "claimed", self.root / "tmp")

    def _waiting(self, queue: str) -> Iterator[Path]:
        """Waiting messages: the rest of the last listing, then a fresh one (one for each is O(n²))."""
        ready = self._ready(queue)
        names = self._listed.setdefault(queue, deque())
        while names:
            yield ready / names.popleft()
        names.extend(_message_names(ready))
        while names:
            yield ready / names.popleft()

    def _binding_files(self, exchange_folder: str) -> Iterator[tuple[Path, Binding]]:
        for path in list((self.root / "bindings" / exchange_folder).glob("*.json")):
            # The name is the hash of the content: what was read once stays true.
            if path.name not in self._bindings:
                try:
                    self._bindings[path.name] = Binding(*json.loads(path.read_bytes()))
                except FileNotFoundError:
                    continue  # unbound meanwhile
            yield path, self._bindings[path.name]

    @staticmethod
    def _write(path: Path, content: bytes, *, durable: bool) -> Path:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        return path

    def _read(self, taken: Path) -> dict[str, Any] | None:
        try:
            payload = json.loads(taken.read_bytes())
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            kept = taken.rename(self.root / "unreadable" / taken.name)
            logger.error("A broker message could not be read and was set aside: %s", kept)
            return None
        return payload


def _message_names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith(SUFFIX))
    except FileNotFoundError:
        return []


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
