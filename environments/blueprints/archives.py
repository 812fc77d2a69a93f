"""A blueprint's files as one archive: the same bytes for the same content, and unpacked without trust."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from environments.blueprints.collecting import MAX_BYTES, MAX_FILES
from portal.core.canonical import digest
from portal.core.errors import GatehouseError

# path -> (content, executable)
Content = dict[str, tuple[bytes, bool]]


class ArchiveDamaged(GatehouseError):
    """A stored snapshot is not what its digest says."""

    status = 500


def listing(content: Content) -> list[list[Any]]:
    """[path, SHA-256, bytes] of each file, sorted by path."""
    return [
        [path, hashlib.sha256(content[path][0]).hexdigest(), len(content[path][0])]
        for path in sorted(content)
    ]


def content_digest(root: str, content: Content) -> str:
    """The name of a content: SHA-256 over the root's place and every file's path, mode and bytes."""
    return digest(
        {"root": root, "files": [[path, sha, content[path][1]] for path, sha, _size in listing(content)]}
    )


def pack(content: Content) -> bytes:
    """A gzipped tar that depends on nothing but the content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(content):
            data, executable = content[path]
            member = tarfile.TarInfo(path)
            member.size = len(data)
            member.mode = 0o755 if executable else 0o644
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def read(archive: bytes) -> Content:
    """The files of an archive; ArchiveDamaged for links, odd paths or more than a blueprint may hold."""
    content: Content = {}
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for member in tar:
                total += member.size
                if total > MAX_BYTES or len(content) >= MAX_FILES:
                    raise ArchiveDamaged(_("The stored blueprint is larger than a blueprint may be."))
                handle = tar.extractfile(member) if member.isreg() else None
                if handle is None or not _harmless(member.name):
                    raise ArchiveDamaged(_("The stored blueprint holds a path that must not be written."))
                content[member.name] = handle.read(), bool(member.mode & 0o100)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise ArchiveDamaged(_("The stored blueprint cannot be read.")) from error
    return content


def _harmless(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        bool(name)
        and not path.is_absolute()
        and ".." not in path.parts
        and "\\" not in name
        and "\0" not in name
    )


def write(content: Content, folder: Path) -> None:
    """Write the files below `folder`; never over an existing file, so never through a link."""
    for path, (data, executable) in content.items():
        if not _harmless(path):
            raise ArchiveDamaged(_("The stored blueprint holds a path that must not be written."))
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.parent.resolve().is_relative_to(folder.resolve()):
            raise ArchiveDamaged(_("The stored blueprint holds a path that must not be written."))
        with target.open("xb") as handle:
            handle.write(data)
        target.chmod(0o755 if executable else 0o644)
