"""All of moto's content as one file: taken from the running process, checked and put back.

The file is a line of magic, a line of JSON (versions, time, length and SHA-256 of the rest) and a
compressed pickle. A pickle runs code when it is read, so a file is only opened when it belongs to us
and nobody else can have touched it.
"""

import hashlib
import json
import os
import platform
import stat
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import moto

from portal.sandbox import pickling

_MAGIC = b"gatehouse sandbox snapshot 1\n"
# The attributes of moto's BackendDict itself; a service's subclass may keep more (S3: bucket -> account).
_OWN_ATTRIBUTES = frozenset({"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"})


class SnapshotUnusableError(Exception):
    """The file cannot or must not be used; the message says why."""


@dataclass(frozen=True)
class Content:
    """What a snapshot holds, still uncompressed, and which services could not be kept."""

    pickled: bytes
    taken_at: datetime
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Header:
    moto: str
    python: str
    taken_at: str
    length: int
    sha256: str


def take() -> Content:
    """Everything in moto's backends. No request may be in flight while this runs."""
    return _take(_services())


def take_what_can_be_kept() -> Content:
    """As ``take``, without the services that cannot be written and read again; slower."""
    services = _services()
    left_out = tuple(sorted(name for name, held in services.items() if not _keepable(held)))
    return _take({name: held for name, held in services.items() if name not in left_out}, left_out)


def check(content: Content) -> None:
    """Read the content back, as a later start will have to. Raises whatever goes wrong in that."""
    pickling.load(content.pickled)


def write(content: Content, path: Path) -> None:
    """Write the file so that there is always a whole one: new file, fsync, rename. Raises OSError."""
    packed = zlib.compress(content.pickled, level=1)
    header = _Header(
        moto=moto.__version__,
        python=platform.python_version(),
        taken_at=content.taken_at.isoformat(),
        length=len(packed),
        sha256=hashlib.sha256(packed).hexdigest(),
    )
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_MAGIC + json.dumps(asdict(header)).encode() + b"\n")
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(path.parent)


def restore(path: Path) -> datetime:
    """Put a snapshot's content into moto; returns when it was taken.

    Raises FileNotFoundError when there is none, SnapshotUnusableError when it cannot be used; nothing
    has been changed then.
    """
    header, packed = _read(path)
    try:
        services = pickling.load(zlib.decompress(packed))
        held = [(pickling.backend_dict(*name.split(":")), content) for name, content in services.items()]
    except Exception as error:
        raise SnapshotUnusableError(f"its content cannot be read ({error!r})") from error
    for backends, content in held:
        _put_back(backends, content)
    return datetime.fromisoformat(header.taken_at)


def _services() -> dict[str, Any]:
    return {f"{module}:{name}": _content_of(held) for module, name, held in pickling.backend_dicts()}


def _take(services: dict[str, Any], left_out: tuple[str, ...] = ()) -> Content:
    return Content(pickled=pickling.dump(services), taken_at=datetime.now(UTC), left_out=left_out)


def _content_of(services: Any) -> dict[str, Any]:
    accounts = {account: dict(regions.items()) for account, regions in services.items()}
    extra = {k: v for k, v in vars(services).items() if k not in _OWN_ATTRIBUTES}
    return {"accounts": accounts, "extra": extra}


def _put_back(services: Any, content: dict[str, Any]) -> None:
    for account, regions in content["accounts"].items():
        # Straight into the dictionary: moto's own way in would make a new, empty backend first.
        dict.update(services[account], regions)
    vars(services).update(content["extra"])


def _keepable(held: dict[str, Any]) -> bool:
    try:
        pickling.load(pickling.dump(held))
    except Exception:  # noqa: BLE001 - the question is whether it raises
        return False
    return True


def _read(path: Path) -> tuple[_Header, bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SnapshotUnusableError(f"it cannot be opened ({error.strerror})") from error
    try:
        _check_trust(os.fstat(descriptor))
    except SnapshotUnusableError:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        if file.readline(len(_MAGIC)) != _MAGIC:
            raise SnapshotUnusableError("it is not a snapshot of this format")
        header = _parse_header(file.readline(10_000))
        packed = file.read()
    if len(packed) != header.length or hashlib.sha256(packed).hexdigest() != header.sha256:
        raise SnapshotUnusableError("it is damaged (length or checksum)")
    return header, packed


def _parse_header(line: bytes) -> _Header:
    try:
        header = _Header(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise SnapshotUnusableError("its header cannot be read") from error
    if header.moto != moto.__version__:
        raise SnapshotUnusableError(f"it was written with moto {header.moto}, this is {moto.__version__}")
    return header


def _check_trust(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SnapshotUnusableError("it is not a regular file")
    if status.st_uid != os.getuid():
        raise SnapshotUnusableError("it belongs to another user")
    if status.st_mode & 0o077:
        raise SnapshotUnusableError("others have access to it (mode must be 0600)")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
