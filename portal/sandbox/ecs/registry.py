"""What ECR says of images: details, scans, layers to download."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from moto.core.exceptions import ServiceException
from moto.ecr.exceptions import InvalidParameterException
from moto.ecr.models import ECRBackend, Image, Repository, ecr_backends

from portal.sandbox.patching import store

BLOBS: Final = "/sandbox/ecr/blob/"
_BLOB = re.compile(r"/sandbox/ecr/blob/(\d{12})/([a-z0-9-]+)/(sha256:[0-9a-f]{64})")
_USUAL_PAGE, _LARGEST_PAGE = 100, 1000


class LayersNotFoundException(ServiceException):
    """The repository has no layer of that digest."""

    code = "LayersNotFoundException"


def facts_of(backend: ECRBackend, image: Image) -> dict[str, Any] | None:
    """What is known of a demo image: size, fault, scan; None for an image that somebody pushed."""
    known: dict[str, Any] | None = store(backend, "images").get(image.image_digest)
    return known


def detail(backend: ECRBackend, image: Image) -> dict[str, Any]:
    """One of DescribeImages' imageDetails."""
    facts = facts_of(backend, image)
    found = {
        "registryId": image.registry_id,
        "repositoryName": image.repository_name,
        "imageDigest": image.image_digest,
        "imageSizeInBytes": facts["size"] if facts else _size(image),
        "imagePushedAt": image.image_pushed_at,
        "imageManifestMediaType": image.image_manifest_media_type,
        "imageStatus": "ACTIVE",
    }
    if image.image_tags:
        found["imageTags"] = list(image.image_tags)
    if not facts or "scan" not in facts:
        return found
    if facts["scan"] is None:
        found["imageScanStatus"] = {"status": "FAILED", "description": "The image could not be read."}
    else:
        found["imageScanStatus"] = {"status": "COMPLETE", "description": "The scan was completed."}
        found["imageScanFindingsSummary"] = _summary(image, facts["scan"])
    return found


def fits(image: Image, condition: dict[str, Any]) -> bool:
    """Whether DescribeImages' filter lets the image through. Nothing is ever archived here."""
    tags = condition.get("tagStatus", "ANY")
    wanted = tags == "ANY" or (tags == "TAGGED") == bool(image.image_tags)
    return wanted and condition.get("imageStatus", "ACTIVE") in ("ACTIVE", "ANY")


def page(rows: Sequence[Any], size: int | None, token: str | None) -> tuple[Sequence[Any], str | None]:
    """One page of the rows, and the token of the next."""
    if size is not None and not 1 <= int(size) <= _LARGEST_PAGE:
        raise InvalidParameterException("Invalid parameter at 'maxResults': it has to be from 1 to 1000")
    if token and not token.isdigit():
        raise InvalidParameterException("Invalid parameter at 'nextToken'")
    start = int(token or 0)
    end = start + int(size or _USUAL_PAGE)
    return rows[start:end], str(end) if end < len(rows) else None


def scan_findings(repository: Repository, image: Image, counts: dict[str, int]) -> dict[str, Any]:
    """DescribeImageScanFindings' answer: one finding for each that is counted."""
    findings = [
        {
            "name": f"CVE-2026-{10_000 + 100 * rank + number}",
            "severity": severity,
            "attributes": [{"key": "package_name", "value": "openssl"}],
        }
        for rank, (severity, times) in enumerate(counts.items())
        for number in range(times)
    ]
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageId": {"imageDigest": image.image_digest},
        "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed."},
        "imageScanFindings": {**_summary(image, counts), "findings": findings},
    }


def _summary(image: Image, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "imageScanCompletedAt": image.image_pushed_at + 60,
        "vulnerabilitySourceUpdatedAt": image.image_pushed_at,
        "findingSeverityCounts": dict(counts),
    }


def _size(image: Image) -> int | None:
    """What the manifest says its parts take together; None for an index, which has none of its own."""
    manifest = json.loads(image.image_manifest)
    if "layers" not in manifest:
        return None
    parts = [manifest.get("config") or {}, *manifest["layers"]]
    return sum(int(part.get("size") or 0) for part in parts)


def check_layer(backend: ECRBackend, repository: Repository, digest: str) -> None:
    """Raise LayersNotFoundException unless an image of the repository names this blob and its content is kept."""
    named = any(digest in image.image_manifest for image in repository.images)
    if not named or digest not in store(backend, "blobs"):
        raise LayersNotFoundException(f"The layer {digest} of {repository.name} is not there")


def blob(path: str) -> bytes | None:
    """The content behind an address that GetDownloadUrlForLayer gave; None when there is none."""
    match = _BLOB.fullmatch(path)
    if match is None or match[1] not in ecr_backends or match[2] not in ecr_backends[match[1]]:
        return None
    content: bytes | None = store(ecr_backends[match[1]][match[2]], "blobs").get(match[3])
    return content
