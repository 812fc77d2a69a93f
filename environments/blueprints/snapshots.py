"""Content-addressed snapshots: what a definition pins and a run unpacks."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from environments.blueprints import archives
from environments.blueprints.archives import ArchiveDamaged, Content
from environments.blueprints.collecting import LOCK_FILE, blueprint_folders, boundary_of, collect
from environments.blueprints.hcl import BlueprintUnreadable
from environments.blueprints.models import BlueprintSnapshot, ProviderLock
from environments.blueprints.variables import read_interface, to_json
from portal.core.errors import NotFound

logger = logging.getLogger(__name__)

OWNERSHIP_FILE = "ownership.json"
# folder -> (what its files looked like, their digest): looking is far cheaper than reading.
_seen: dict[Path, tuple[tuple[tuple[str, int, int], ...], str]] = {}


@dataclass(frozen=True)
class Offer:
    """A blueprint in the folder: its snapshot, or why it cannot be used."""

    slug: str
    snapshot: BlueprintSnapshot | None
    error: BlueprintUnreadable | None = None


def offers() -> list[Offer]:
    """Every blueprint that lies in the folders of settings.BLUEPRINT_DIRS, by name."""
    found = []
    for slug in sorted(blueprint_folders()):
        try:
            found.append(Offer(slug, current_snapshot(slug)))
        except BlueprintUnreadable as error:
            found.append(Offer(slug, None, error))
    return found


def current_snapshot(slug: str) -> BlueprintSnapshot:
    """The snapshot of what the blueprint's folder holds now, taken anew when its content has changed.

    Raises NotFound for an unknown blueprint and BlueprintUnreadable, naming file and line, for a broken one.
    """
    folder = blueprint_folders().get(slug)
    if folder is None:
        raise NotFound(_("There is no blueprint “%s”.") % slug)
    # Before the reading: whatever is written meanwhile makes the next look differ.
    looks = _looks(folder)
    if folder in _seen and _seen[folder][0] == looks:
        known = _stored(_seen[folder][1])
        if known is not None:
            return known
    snapshot = _take(slug, folder)
    _seen[folder] = (looks, snapshot.digest)
    return snapshot


def _looks(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Path, size and time of change of every file: differs when anything was written, added or removed."""
    out = []
    for file in collect(folder):
        status = file.location.stat()
        out.append((file.path, status.st_size, status.st_mtime_ns))
    return tuple(out)


def _take(slug: str, folder: Path) -> BlueprintSnapshot:
    content: Content = {file.path: (file.location.read_bytes(), file.executable) for file in collect(folder)}
    root = folder.resolve().relative_to(boundary_of(folder)).as_posix()
    name = archives.content_digest(root, content)
    known = _stored(name)
    if known is not None:
        return known
    interface = read_interface(folder)
    readme = _text_file(content, f"{root}/README.md")
    title, summary = title_and_summary(readme, slug)
    snapshot, created = BlueprintSnapshot.objects.get_or_create(
        digest=name,
        defaults={
            "blueprint": slug,
            "title": title,
            "summary": summary,
            "root": root,
            "archive": archives.pack(content),
            "variables": to_json(interface.variables),
            "outputs": [asdict(output) for output in interface.outputs],
            "readme": readme,
            "fields": _ownership(content, root),
            "files": archives.listing(content),
        },
    )
    if created:
        logger.info("blueprint %s: new snapshot %s with %d files", slug, snapshot.short_digest, len(content))
    return snapshot


def _stored(digest: str) -> BlueprintSnapshot | None:
    """Without the archive until somebody unpacks it: pages and forms need only what was read from it."""
    return BlueprintSnapshot.objects.filter(digest=digest).defer("archive").first()


def _text_file(content: Content, path: str) -> str:
    data, _executable = content.get(path, (b"", False))
    return data.decode("utf-8", errors="replace")


def _ownership(content: Content, root: str) -> dict[str, Any]:
    """The blueprint's ownership.json: which fields of a resource a deployment may set, not Terraform."""
    text = _text_file(content, f"{root}/{OWNERSHIP_FILE}")
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise BlueprintUnreadable(OWNERSHIP_FILE, line, _("this is not valid JSON")) from error
    if not isinstance(found, dict):
        raise BlueprintUnreadable(OWNERSHIP_FILE, 1, _("this must be a JSON object"))
    return found


def title_and_summary(readme: str, slug: str) -> tuple[str, str]:
    """The README's heading and first paragraph; the slug as words when there is none."""
    heading = re.search(r"^# +(.+?)\s*$", readme, re.MULTILINE)
    rest = readme[heading.end() :] if heading else readme
    paragraphs = [p.strip() for p in re.split(r"\n\s*\n", rest)]
    first = next((p for p in paragraphs if p and not p.startswith(("#", "|", "-", "*", "`", "!", "<"))), "")
    title = heading[1] if heading else slug.replace("-", " ").capitalize()
    return title[:200], " ".join(first.split())


def snapshot_of(digest: str) -> BlueprintSnapshot:
    """The snapshot of that digest; NotFound when there is none."""
    found = _stored(digest)
    if found is None:
        raise NotFound(_("The blueprint snapshot %s is not stored here.") % digest[:12])
    return found


def content_of(snapshot: BlueprintSnapshot) -> Content:
    """path -> (bytes, executable) of a snapshot; ArchiveDamaged when it is not what its digest says."""
    content = archives.read(bytes(snapshot.archive))
    if archives.content_digest(snapshot.root, content) != snapshot.digest:
        raise ArchiveDamaged(_("The stored blueprint is not what its digest says."))
    return content


def unpack(snapshot: BlueprintSnapshot, folder: Path, *, platform: str = "") -> Path:
    """Write the snapshot below `folder` and return its root module's folder.

    With a platform, the lock file of this installation replaces the blueprint's own. Existing files are
    never overwritten (FileExistsError).
    """
    content = content_of(snapshot)
    lock = lock_for(snapshot, platform) if platform else None
    if lock is not None:
        content[f"{snapshot.root}/{LOCK_FILE}"] = lock.text.encode(), False
    archives.write(content, folder)
    return folder / snapshot.root


def lock_for(snapshot: BlueprintSnapshot, platform: str) -> ProviderLock | None:
    """The lock file kept for this snapshot and platform: with it, run init with -lockfile=readonly."""
    return ProviderLock.objects.filter(snapshot=snapshot, platform=platform).first()


def earlier_lock(snapshot: BlueprintSnapshot, platform: str) -> str:
    """The newest lock text of the same blueprint's other snapshots, "" when none.

    A first init that starts from it keeps the providers' versions instead of taking whatever is newest.
    """
    found = ProviderLock.objects.filter(snapshot__blueprint=snapshot.blueprint, platform=platform)
    return found.order_by("-created_at").values_list("text", flat=True).first() or ""


def with_lock_file(snapshot: BlueprintSnapshot, lock: bytes, *, platform: str) -> ProviderLock:
    """Keep the lock file that the first init made. The first kept stays: two inits at once agree on it."""
    kept, _created = ProviderLock.objects.get_or_create(
        snapshot=snapshot, platform=platform, defaults={"text": lock.decode()}
    )
    return kept
