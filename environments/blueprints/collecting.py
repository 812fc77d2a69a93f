"""Which files make up a blueprint: its root module and every local module that it reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from environments.blueprints.hcl import (
    BlueprintUnreadable,
    attributes,
    blocks,
    body_of,
    literal_text,
    parse_file,
)
from environments.blueprints.variables import configuration_files

MAX_FILES = 2000
MAX_BYTES = 20 * 1024 * 1024
LOCK_FILE = ".terraform.lock.hcl"
SKIPPED_FOLDERS = frozenset({"tests", "examples", "node_modules", "__pycache__"})
# Values belong to definitions: Terraform would read these files by itself, unseen and unapproved.
SKIPPED_FILES = re.compile(
    r"\.tfvars(\.json)?$|\.tfstate(\..*)?$|\.tfplan$|\.tftest\.hcl$|^crash.*\.log$|~$|\.sw[op]$"
)
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True)
class SourceFile:
    """One file of a blueprint; `path` is relative to the folder that holds blueprints and modules."""

    path: str
    location: Path
    executable: bool


def blueprint_folders() -> dict[str, Path]:
    """slug -> folder of every blueprint found; of two with one name the first in settings wins."""
    found: dict[str, Path] = {}
    for base in settings.BLUEPRINT_DIRS:
        if not base.is_dir():
            continue
        for folder in sorted(base.iterdir()):
            if SLUG.fullmatch(folder.name) and folder.is_dir() and any(folder.glob("*.tf")):
                found.setdefault(folder.name, folder)
    return found


def boundary_of(root: Path) -> Path:
    """The folder no module and no link may leave: the one that holds the blueprints' folder."""
    return root.resolve().parent.parent


def module_folders(root: Path) -> list[Path]:
    """The root and the local modules it reaches by relative source, directly or through others."""
    boundary, start = boundary_of(root), root.resolve()
    found: list[Path] = []
    waiting = [start]
    while waiting:
        folder = waiting.pop(0)
        if folder in found:
            continue
        found.append(folder)
        for source, name, file, line in _sources(folder):
            label = f"{_relative(folder, boundary)}/{file}"
            waiting.append(_local(folder, source, boundary, BlueprintUnreadable(label, line, name)))
    return found


def _sources(folder: Path) -> Iterator[tuple[str | None, str, str, int]]:
    """(source, module name, file name, line) of each module call; None when the source is no plain text."""
    for path in configuration_files(folder):
        if path.name.endswith(".tf"):
            status = path.stat()
            for source, name, line in _calls(path, status.st_mtime_ns, status.st_size):
                yield source, name, path.name, line


@lru_cache(maxsize=1024)
def _calls(path: Path, _changed: int, _size: int) -> tuple[tuple[str | None, str, int], ...]:
    """The module calls of one file; parsing costs milliseconds, so once per state of the file."""
    if "module" not in path.read_text(encoding="utf-8", errors="replace"):
        return ()
    _text, tree = parse_file(path, name=path.name)
    out = []
    for kind, labels, body, line in blocks(body_of(tree)):
        if kind == "module":
            found = {key: node for key, node, _line in attributes(body)}
            out.append((literal_text(found["source"]) if "source" in found else None, "".join(labels), line))
    return tuple(out)


def _local(folder: Path, source: str | None, boundary: Path, at: BlueprintUnreadable) -> Path:
    """The folder of a module; `at` names file, line and module for the messages."""
    name = at.reason
    if source is None:
        raise BlueprintUnreadable(
            at.file, at.line, _("the source of module “%s” must be a plain text") % name
        )
    if not source.startswith(("./", "../")):
        message = _(
            "module “%(name)s” comes from %(source)s; copy it below modules/ and name it by a relative path"
        )
        raise BlueprintUnreadable(at.file, at.line, message % {"name": name, "source": source})
    target = (folder / source).resolve()
    if not target.is_relative_to(boundary) or target == boundary:
        raise BlueprintUnreadable(at.file, at.line, _("module “%s” lies outside the Terraform folder") % name)
    if not target.is_dir():
        raise BlueprintUnreadable(at.file, at.line, _("module “%s” does not exist") % name)
    return target


def _relative(path: Path, boundary: Path) -> str:
    return path.relative_to(boundary).as_posix()


def collect(root: Path) -> list[SourceFile]:
    """Every file of the blueprint in `root`, sorted by path, each once; refuses links that lead outside."""
    boundary = boundary_of(root)
    found: dict[str, SourceFile] = {}
    total = 0
    for folder in module_folders(root):
        for location in _files(folder, boundary, top=folder == root.resolve()):
            path = _relative(location, boundary)
            status = location.stat()
            if path not in found:
                total += status.st_size
                found[path] = SourceFile(path, location, bool(status.st_mode & 0o100))
            if len(found) > MAX_FILES or total > MAX_BYTES:
                raise BlueprintUnreadable(root.name, None, _("more than 2,000 files or 20 MB"))
    return [found[path] for path in sorted(found)]


def _files(folder: Path, boundary: Path, *, top: bool) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        hidden = entry.name.startswith(".") and not (top and entry.name == LOCK_FILE)
        if hidden or SKIPPED_FILES.search(entry.name):
            continue
        if entry.is_symlink():
            _check_link(entry, boundary)
        if entry.is_dir():
            if entry.name not in SKIPPED_FOLDERS:
                yield from _files(entry, boundary, top=False)
        elif entry.is_file():
            yield entry


def _check_link(entry: Path, boundary: Path) -> None:
    name = _relative(entry, boundary)
    target = entry.resolve()
    if not target.is_relative_to(boundary):
        raise BlueprintUnreadable(name, None, _("this link leads outside the Terraform folder"))
    if not target.is_file():
        raise BlueprintUnreadable(name, None, _("a link must lead to a file"))
