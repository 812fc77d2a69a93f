"""Putting the demonstration's images into a repository, and finding an image as ECS does when it pulls one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.ecr.models import Image, Repository, ecr_backends

from portal.sandbox.controls import ControlError, text
from portal.sandbox.ecs.images import IMAGES, Built, DemoImage, build, digest_of
from portal.sandbox.patching import store

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class Pulled:
    """The image behind a reference; `fault` is one of images.FAULTS or empty."""

    digest: str
    fault: str = ""


def control(asked: dict[str, Any]) -> dict[str, Any]:
    """``{"account", "region", "repository"}``: seed it; answers with tag -> digest."""
    account, region, name = (text(asked, key) for key in ("account", "region", "repository"))
    repository = ecr_backends[account][region].repositories.get(name)
    if repository is None:
        raise ControlError(f"there is no repository {name} in {account} {region}")
    return {"images": seed(account, region, repository)}


def seed(account: str, region: str, repository: Repository) -> dict[str, str]:
    """Put every demo image that is not there yet into the repository; tag -> digest of all of them."""
    backend = ecr_backends[account][region]
    blobs, facts = store(backend, "blobs"), store(backend, "images")
    there = {image.image_digest: image for image in repository.images}
    digests: dict[str, str] = {}
    for image in IMAGES:
        built = build(image, repository.name)
        for one in (*built.parts, built):
            blobs.update(one.blobs)
            facts[one.digest] = {"size": one.size, "fault": image.fault}
            if not one.parts:  # ECR scans the images of an index, not the index
                facts[one.digest]["scan"] = image.scan
            if one.digest not in there:
                repository.images.append(_row(account, repository, one, image, tagged=one is built))
        digests |= dict.fromkeys((image.tag, *image.other_tags), built.digest)
    return digests


def _row(account: str, repository: Repository, built: Built, image: DemoImage, *, tagged: bool) -> Image:
    tags = [*image.other_tags, image.tag] if tagged else []
    newest: Any = tags[-1] if tags else None
    row = Image(account, newest, built.manifest, repository.name, built.media_type, built.digest)
    row.image_tags = tags
    row.image_pushed_at = int((utcnow() - timedelta(days=image.days_old)).timestamp())
    return row


def is_empty(reference: str) -> bool:
    """Whether the image's repository is there and holds nothing yet."""
    match = _ECR.fullmatch(reference)
    if match is None:
        return False
    repository = ecr_backends[match["account"]][match["region"]].repositories.get(match["name"])
    return repository is not None and not repository.images


def resolve(reference: str) -> Pulled | None:
    """What ECS pulls for this reference of a container's image; None when the repository or image is not there.

    An image of another registry is always found, and has a digest of its own.
    """
    match = _ECR.fullmatch(reference)
    if match is None:
        return Pulled(_elsewhere(reference))
    backend = ecr_backends[match["account"]][match["region"]]
    repository = backend.repositories.get(match["name"])
    for image in repository.images if repository else []:
        if image.image_digest == match["digest"] or (
            not match["digest"] and (match["tag"] or "latest") in image.image_tags
        ):
            return Pulled(image.image_digest, fault_of(image.image_digest))
    return None


def _elsewhere(reference: str) -> str:
    _name, _at, digest = reference.partition("@")
    return digest or digest_of(reference.encode())


def fault_of(digest: str) -> str:
    """The fault that the image of this digest brings along; empty for any other image."""
    for regions in list(ecr_backends.values()):
        for backend in list(regions.values()):
            known = store(backend, "images").get(digest)
            if known:
                return str(known["fault"])
    return ""
