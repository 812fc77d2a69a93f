"""Signed heads of the chains, in files outside the database.

Whoever rewrites the log in the database, head included, cannot rewrite these: each line is signed with
the keyring and names the hash of the line before. One file per chain in AUDIT_CHECKPOINT_DIR, which is
best kept (or copied) where the database's administrators cannot write.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote

from django.conf import settings

from portal.audit.models import ChainHead
from portal.core.canonical import canonical_json
from portal.core.clock import now
from portal.core.keyring import keyring

SUFFIX = ".jsonl"


class CheckpointError(Exception):
    """A chain is shorter than, or different from, what was signed before."""


@dataclass(frozen=True)
class Checkpoint:
    """One line: the chain had this hash at this sequence. `kind` "gap": a restore lost what came after."""

    chain: str
    sequence: int
    hash: str
    at: str
    kind: str
    previous: str
    signature: str = ""

    def signed(self) -> bytes:
        """What the signature covers: every other field."""
        fields = asdict(self)
        del fields["signature"]
        return canonical_json(fields)


def write_checkpoints() -> int:
    """Sign every head that has moved since its last checkpoint; returns how many were written.

    Raises CheckpointError, after the other chains are done, when a head is behind its checkpoint.
    """
    written, behind = 0, []
    for head in ChainHead.objects.order_by("chain"):
        last = last_checkpoint(head.chain)
        if last is None or head.sequence > last.sequence:
            append(head.chain, head.sequence, head.hash)
            written += 1
        elif (head.sequence, head.hash) != (last.sequence, last.hash):
            behind.append(
                f"{head.chain} is at {head.sequence}, its checkpoint of {last.at} at {last.sequence}"
            )
    if behind:
        raise CheckpointError(f"Run verify_audit: {'; '.join(behind)}")
    return written


def append(chain: str, sequence: int, head_hash: str, *, kind: str = "head") -> Checkpoint:
    """Sign and append one line; it is on the disk when this returns."""
    with _locked(_path(chain)) as file:
        lines = file.read().split(b"\n")
        # A line without its end is a write that a crash cut short: nothing was promised yet.
        unfinished = len(lines.pop())
        if unfinished:
            file.truncate(file.tell() - unfinished)
        previous = hashlib.sha256(lines[-1]).hexdigest() if lines else ""
        at = now().isoformat(timespec="seconds")
        draft = Checkpoint(chain, sequence, head_hash, at, kind, previous)
        signature = keyring().sign(draft.signed())
        point = Checkpoint(**{**asdict(draft), "signature": signature})
        file.seek(0, os.SEEK_END)
        file.write(canonical_json(asdict(point)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return point


def read(chain: str) -> tuple[list[Checkpoint], str]:
    """The checkpoints that can be trusted, and what is wrong with the next line ("" if nothing)."""
    path = _path(chain)
    if not path.exists():
        return [], ""
    points: list[Checkpoint] = []
    previous = ""
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], start=1):
        try:
            point = Checkpoint(**json.loads(line))
        except (ValueError, TypeError):
            return points, f"line {number} of {path.name} cannot be read"
        if point.previous != previous:
            return points, f"line {number} of {path.name} does not follow the line before it"
        if point.chain != chain or not keyring().verify(point.signed(), point.signature):
            return points, f"line {number} of {path.name} has no valid signature"
        points.append(point)
        previous = hashlib.sha256(line).hexdigest()
    return points, ""


def last_checkpoint(chain: str) -> Checkpoint | None:
    """The newest line, without checking the others."""
    path = _path(chain)
    if not path.exists():
        return None
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 4096))
        lines = file.read().split(b"\n")[:-1]
    try:
        return Checkpoint(**json.loads(lines[-1])) if lines else None
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"The last line of {path.name} cannot be read: run verify_audit") from error


def known_chains() -> list[str]:
    """Chains that have ever been signed, whether the database still knows them or not."""
    return sorted(
        unquote(path.name.removesuffix(SUFFIX))
        for path in Path(settings.AUDIT_CHECKPOINT_DIR).glob(f"*{SUFFIX}")
    )


def _path(chain: str) -> Path:
    return Path(settings.AUDIT_CHECKPOINT_DIR) / f"{quote(chain, safe='')}{SUFFIX}"


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """The file for reading and appending, one process at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
