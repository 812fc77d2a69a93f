"""What putting a release in force would do to its bucket: which files are new, differ, or go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from environments.deployments.front_ends import headers
from portal.aws import objects
from portal.aws.objects import Listed
from portal.aws.sessions import AccountAccess
from portal.core.canonical import digest

Files = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Plan:
    """Paths, sorted. `again` has the right content, but nobody knows with which headers it was put there."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    again: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int

    @property
    def put(self) -> list[str]:
        """Everything that is written, in the order in which a site stays whole.

        What no page names yet comes first, then what is overwritten, then the pages, the first page last.
        """
        loud = {*self.added, *self.changed, *self.again} - set(self.quiet)
        return [*self.quiet, *sorted(loud, key=_page_order)]

    @property
    def quiet(self) -> list[str]:
        """New files that are no pages: nobody gets them before a page names them."""
        return [path for path in self.added if not headers.is_page(path)]

    @property
    def empty(self) -> bool:
        return not (self.added or self.changed or self.again or self.removed)


def _page_order(path: str) -> tuple[bool, int, str]:
    # Deep pages before the root's own.
    return headers.is_page(path), -path.count("/"), path


def plan(access: AccountAccess, bucket: str, files: Files, listed: Sequence[Listed], known: Files) -> Plan:
    """Compare a release with what the bucket holds. Raises AwsError.

    `known` are the files of the release in force, whose headers are those we gave; {} when that is not certain.
    """
    there = {one.key: one for one in listed}
    added, changed, again, unchanged = [], [], [], 0
    for path, file in files.items():
        if path not in there:
            added.append(path)
        elif not is_same(access, bucket, there[path], file):
            changed.append(path)
        elif known.get(path) != file:
            again.append(path)
        else:
            unchanged += 1
    removed = sorted(there.keys() - files.keys())
    return Plan(tuple(sorted(added)), tuple(sorted(changed)), tuple(sorted(again)), tuple(removed), unchanged)


def is_same(access: AccountAccess, bucket: str, there: Listed, file: Mapping[str, Any]) -> bool:
    """Whether the object has this file's content. Raises AwsError."""
    if there.size != file["size"]:
        return False
    # The ETag is no MD5 where KMS encrypts: then what we wrote beside the object tells.
    return bool(there.etag == file["md5"]) or objects.sha256_of(access, bucket, there.key) == file["sha256"]


def fingerprint(listed: Sequence[Listed]) -> str:
    """The bucket's content as one word, to see whether it moves."""
    return digest([[one.key, one.size, one.etag] for one in sorted(listed, key=lambda one: one.key)])
