"""What the demonstration's image repositories hold: three versions, and one image for each fault.

The content of an image depends on what a repository is for (the last word of its name) and on the tag
alone: staging's and production's repositories hold the same digests, those of different services do not.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
FAULTS: Final = ("never-healthy", "oom", "cannot-pull", "slow-start", "alarm-in-bake")
_MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True)
class DemoImage:
    """One image as it is pushed; `scan` is severity -> number, None while it was never scanned."""

    tag: str
    created: str
    days_old: int
    megabytes: int
    fault: str = ""
    other_tags: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ("amd64",)
    scan: Mapping[str, int] | None = field(default_factory=dict)


IMAGES: Final = (
    DemoImage(
        "v1", "2026-10-05T04:12:09Z", 30, 148, other_tags=("latest",), scan={"HIGH": 2, "MEDIUM": 5, "LOW": 9}
    ),
    DemoImage("v2", "2026-10-28T01:40:51Z", 7, 151, scan={"MEDIUM": 2, "LOW": 8}),
    DemoImage("v3", "2026-11-03T05:03:30Z", 1, 152, architectures=("amd64", "arm64")),
    DemoImage(
        "never-healthy", "2026-10-29T02:00:00Z", 6, 151, fault="never-healthy", scan={"CRITICAL": 1, "LOW": 8}
    ),
    DemoImage("oom", "2026-10-29T03:00:00Z", 6, 151, fault="oom", scan={"MEDIUM": 2}),
    DemoImage("cannot-pull", "2026-10-29T04:00:00Z", 6, 151, fault="cannot-pull", scan=None),
    DemoImage("slow-start", "2026-10-29T05:00:00Z", 6, 151, fault="slow-start"),
    DemoImage("alarm-in-bake", "2026-10-29T06:00:00Z", 6, 151, fault="alarm-in-bake"),
    DemoImage("arm64-only", "2026-10-29T07:00:00Z", 6, 149, architectures=("arm64",)),
)


@dataclass(frozen=True)
class Built:
    """One manifest with the blobs it names; `size` is what ECR says of it, `parts` are an index's images."""

    manifest: str
    media_type: str
    size: int
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    parts: tuple[Built, ...] = ()

    @property
    def digest(self) -> str:
        return digest_of(self.manifest.encode())


def digest_of(content: bytes) -> str:
    """The name that content has in a registry."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def build(image: DemoImage, repository: str) -> Built:
    """The image as that repository holds it: one manifest, or an index of one for each architecture."""
    application = re.split(r"[/-]", repository)[-1]
    singles = [_single(image, application, architecture) for architecture in image.architectures]
    if len(singles) == 1:
        return singles[0]
    rows = [
        {
            "mediaType": one.media_type,
            "digest": one.digest,
            "size": len(one.manifest),
            "platform": {"architecture": architecture, "os": "linux"},
        }
        for one, architecture in zip(singles, image.architectures, strict=True)
    ]
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": rows,
        "annotations": _labels(image, application),
    }
    return Built(json.dumps(index), INDEX, singles[0].size, parts=tuple(singles))


def _single(image: DemoImage, application: str, architecture: str) -> Built:
    labels = _labels(image, application)
    layer = digest_of(f"{application} {image.tag} {architecture}".encode())
    config = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "created": image.created,
            "config": {"Cmd": [f"/app/{application}"], "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [layer]},
        }
    ).encode()
    size = image.megabytes * _MEGABYTE
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": len(config), "digest": digest_of(config)},
        "layers": [{"mediaType": LAYER, "size": size, "digest": layer}],
        "annotations": labels,
    }
    return Built(json.dumps(manifest), MANIFEST, size + len(config), {digest_of(config): config})


def _labels(image: DemoImage, application: str) -> dict[str, str]:
    source = f"https://github.com/example/{application}"
    return {
        "org.opencontainers.image.created": image.created,
        "org.opencontainers.image.revision": hashlib.sha1(
            f"{application} {image.tag}".encode(), usedforsecurity=False
        ).hexdigest(),
        "org.opencontainers.image.source": source,
        "org.opencontainers.image.version": image.tag,
    }
