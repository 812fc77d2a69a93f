"""What a person wants to know of an image before agreeing to it: size, age, findings, the commits it brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from portal.aws.ecr import Image

# https://github.com/opencontainers/image-spec/blob/main/annotations.md
REVISION: Final = "org.opencontainers.image.revision"
SOURCE: Final = "org.opencontainers.image.source"
COMPARE: Final = {
    "github.com": "{base}/compare/{old}...{new}",
    "gitlab.com": "{base}/-/compare/{old}...{new}",
}


def facts(image: Image, before: Image | None) -> dict[str, Any]:
    """{"pushed_at", "size", "platforms", "scan", "labels", "commits"} as a ServiceProposal keeps it."""
    return {
        "pushed_at": image.pushed_at.isoformat() if image.pushed_at else None,
        "size": image.size,
        "platforms": list(image.platforms),
        "scan": image.scan,
        "labels": {
            name: text for name, text in image.labels.items() if name.startswith("org.opencontainers.")
        },
        "unread": dict(image.unread),
        "commits": commits(before.labels if before else {}, image.labels),
    }


def commits(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """{"from", "to", "url"} where both images say which commit they were built from; {} otherwise."""
    then, now = old.get(REVISION, ""), new.get(REVISION, "")
    if not then or not now or then == now:
        return {}
    return {"from": then, "to": now, "url": _compare(new.get(SOURCE, ""), then, now)}


def _compare(source: str, old: str, new: str) -> str:
    """The page that compares the two commits; empty where the host's addresses are not known."""
    base = source.removesuffix(".git").rstrip("/")
    scheme, _slashes, rest = base.partition("://")
    host = rest.partition("/")[0]
    pattern = COMPARE.get(host)
    hexadecimal = all(set(one.lower()) <= set("0123456789abcdef") for one in (old, new))
    return (
        pattern.format(base=base, old=old, new=new) if pattern and scheme == "https" and hexadecimal else ""
    )
