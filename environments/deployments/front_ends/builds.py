"""A build as it is uploaded: a zip whose every entry is looked at before anything is kept."""

from __future__ import annotations

import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from environments.deployments.front_ends import headers
from portal.aws.objects import LONGEST_KEY
from portal.core.canonical import digest
from portal.core.errors import InvalidInput

PIECE: Final = 1024 * 1024
# Written by file managers, meant for nobody.
_LITTER = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Build:
    """What a zip holds; `files` is path -> {"sha256", "md5", "size", "content_type", "cache_control"}."""

    files: Mapping[str, Mapping[str, Any]]
    size: int

    @property
    def sha256(self) -> str:
        """The name of the content: equal builds have equal names, however they were packed."""
        return digest({path: dict(file) for path, file in self.files.items()})


def read(content: bytes, index: str) -> Build:
    """Look at every file of an uploaded zip. Raises InvalidInput naming what is wrong with it."""
    if len(content) > settings.FRONT_END_MAX_BYTES:
        raise wrong(
            _("The zip is larger than the %(n)s MB that are accepted.")
            % {"n": settings.FRONT_END_MAX_BYTES // PIECE}
        )
    files: dict[str, dict[str, Any]] = {}
    left = settings.FRONT_END_MAX_UNPACKED
    for path, body in unpacked(content, most=left):
        files[path] = {
            "sha256": hashlib.sha256(body).hexdigest(),
            "md5": hashlib.md5(body, usedforsecurity=False).hexdigest(),
            "size": len(body),
            "content_type": headers.content_type(path),
            "cache_control": headers.cache_control(path),
        }
    if index not in files:
        raise wrong(
            _("The build has no %(index)s at its top: zip the folder that your build tool wrote.")
            % {"index": index}
        )
    return Build(files, sum(file["size"] for file in files.values()))


def is_file(body: bytes, file: Mapping[str, Any]) -> bool:
    """Whether this is the content that was looked at when the build was uploaded."""
    return hashlib.sha256(body).hexdigest() == str(file["sha256"])


def unpacked(content: bytes, *, most: int, only: Sequence[str] | None = None) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file (`only` these), never more than `most` bytes in all. Raises InvalidInput."""
    wanted = None if only is None else frozenset(only)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for path, entry in entries(archive).items():
                if wanted is None or path in wanted:
                    body = _body(archive, entry, most)
                    most -= len(body)
                    yield path, body
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise wrong(_("The file is no zip that can be read: %(why)s") % {"why": error}) from error


def entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files of a zip by the path they are served under. Raises InvalidInput."""
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        # The name as it was written: zipfile itself cuts at a NUL and turns the system's separators.
        name = entry.orig_filename
        if entry.is_dir() or _LITTER.search(name):
            continue
        path = _path(entry, name)
        if path in found:
            raise wrong(_("“%(path)s” is in the zip twice.") % {"path": path})
        found[path] = entry
        if len(found) > settings.FRONT_END_MAX_FILES:
            raise wrong(_("There are more than %(n)s files in it.") % {"n": settings.FRONT_END_MAX_FILES})
    if not found:
        raise wrong(_("There is no file in it."))
    return _without_folder(found)


def _path(entry: zipfile.ZipInfo, name: str) -> str:
    parts = name.split("/")
    if entry.flag_bits & 0x1:
        raise wrong(_("“%(path)s” is encrypted; zip it without a password.") % {"path": name})
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise wrong(_("“%(path)s” is a link or something else that is no file.") % {"path": name})
    if _CONTROL.search(name) or "\\" in name or not {"", ".", ".."}.isdisjoint(parts) or ":" in parts[0]:
        shown = _CONTROL.sub("?", name)
        raise wrong(_("“%(path)s” does not stay inside the build's own folder.") % {"path": shown})
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        raise wrong(_("“%(path)s” is no name that can be written.") % {"path": ascii(name)}) from None
    if length > LONGEST_KEY:
        raise wrong(_("“%(path)s” is longer than S3 allows.") % {"path": name[:80] + "..."})
    return name


def _without_folder(found: dict[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """A zip of one folder, "dist/...", is what is in the folder."""
    tops = {path.partition("/")[0] for path in found}
    if len(tops) > 1 or not all("/" in path for path in found):
        return found
    return {path.partition("/")[2]: entry for path, entry in found.items()}


def _body(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """The content of one file; what the zip claims of its size is not believed."""
    parts, size = [], 0
    with archive.open(entry) as file:
        while piece := file.read(PIECE):
            size += len(piece)
            if size > most:
                raise wrong(
                    _("Unpacked it is larger than the %(n)s MB that are accepted.")
                    % {"n": settings.FRONT_END_MAX_UNPACKED // PIECE}
                )
            parts.append(piece)
    return b"".join(parts)


def wrong(text: str) -> InvalidInput:
    """What is wrong with the uploaded file."""
    return InvalidInput({"file": [text]})
