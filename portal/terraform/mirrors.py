"""Find a folder of unpacked or packed Terraform providers on this machine, quickly and within bounds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

REGISTRY = "registry.terraform.io"
# Where administrators put such folders when no rule tells them; searched last, to a small depth.
TOP_FOLDERS = ("/opt", "/srv", "/usr/local", "/usr/share", "/var/lib", "/etc", "/mnt", "/data")
DEPTH = 3
MOST_FOLDERS = 4000


@dataclass(frozen=True, slots=True)
class Mirror:
    """A filesystem mirror: `path` contains registry.terraform.io; `providers` are source addresses in it."""

    path: Path
    providers: frozenset[str]


def find_mirror(
    configured: str | None = None,
    *,
    platform: str = "linux_amd64",
    environ: Mapping[str, str] | None = None,
    tops: tuple[str, ...] = TOP_FOLDERS,
) -> Mirror | None:
    """The first folder that holds at least one provider for `platform`, or None.

    `configured` wins if it is usable. Order: that, the folders Terraform itself knows, then `tops` three
    levels deep. Files that cannot be read are passed over.
    """
    known = os.environ if environ is None else environ
    for candidate in _candidates(configured, known, tops):
        providers = providers_in(candidate, platform)
        if providers:
            return Mirror(candidate, providers)
    return None


def providers_in(folder: Path, platform: str) -> frozenset[str]:
    """Source addresses ("registry.terraform.io/hashicorp/aws") in `folder` that have a build for
    `platform`.
    """
    found = set()
    for provider in _folders(folder / REGISTRY, levels=2):
        unpacked = any((version / platform).is_dir() for version in _children(provider))
        packed = any(name.name.endswith(f"_{platform}.zip") for name in _children(provider))
        if unpacked or packed:
            found.add("/".join(provider.parts[-3:]))
    return frozenset(found)


def _candidates(configured: str | None, environ: Mapping[str, str], tops: tuple[str, ...]) -> Iterator[Path]:
    if configured:
        yield Path(configured)
    home = environ.get("HOME")
    if home:
        yield Path(home, ".terraform.d", "plugins")
        yield Path(environ.get("XDG_DATA_HOME") or Path(home, ".local", "share"), "terraform", "plugins")
    for shared in (environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        yield Path(shared or "/usr/share", "terraform", "plugins")
    yield Path("/usr/share/terraform/plugins")
    yield Path("/usr/local/share/terraform/plugins")
    seen = 0
    for top in tops:
        for folder in _walk(Path(top), DEPTH):
            seen += 1
            if seen > MOST_FOLDERS:
                return
            if (folder / REGISTRY).is_dir():
                yield folder


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    """`folder` and the folders below it, nearest first, without following links."""
    level = [folder]
    for _ in range(depth):
        yield from level
        level = [child for parent in level for child in _children(parent) if _is_folder(child)]


def _folders(folder: Path, levels: int) -> list[Path]:
    found = [folder]
    for _ in range(levels):
        found = [child for parent in found for child in _children(parent) if child.is_dir()]
    return found


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")
    except OSError:
        return False
