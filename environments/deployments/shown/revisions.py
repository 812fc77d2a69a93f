"""Names of revisions and images as people read them."""

from __future__ import annotations

import re

_REVISION = re.compile(r"(?:.*task-definition/)?(?P<family>[^/:]+):(?P<number>\d+)$")
SHORT = 12


def family_and_number(arn: str) -> tuple[str, int] | None:
    """("backend", 7) of a task definition's ARN or "backend:7"; None of anything else."""
    found = _REVISION.match(arn)
    return (found["family"], int(found["number"])) if found else None


def revision(arn: str) -> str:
    """ "backend:7" of a task definition's ARN; the text itself of anything else."""
    found = family_and_number(arn)
    return f"{found[0]}:{found[1]}" if found else arn


def is_newer(one: str, other: str) -> bool:
    """Whether `one` was registered after `other`: a later revision of the same family."""
    first, second = family_and_number(one), family_and_number(other)
    return bool(first and second and first[0] == second[0] and first[1] > second[1])


def short_digest(digest: str) -> str:
    """The first characters of "sha256:...", enough to tell two images apart; empty of nothing."""
    return digest.removeprefix("sha256:")[:SHORT]


def image_name(tag: str, digest: str) -> str:
    """ "v2 · 0123456789ab", or whichever of both is known; empty when neither is."""
    return " · ".join(part for part in (tag, short_digest(digest)) if part)


def split_reference(reference: str) -> tuple[str, str, str]:
    """(repository, tag, digest) of an image reference; what it does not name is empty."""
    rest, _at, digest = reference.partition("@")
    host, slash, last = rest.rpartition("/")
    name, _colon, tag = last.partition(":")
    return f"{host}{slash}{name}", tag, digest


def short_id(arn: str) -> str:
    """The last part of an ARN: a task's id."""
    return arn.rpartition("/")[2]
