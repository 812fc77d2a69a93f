"""ECR: digests as registries make them, sizes, scan findings, pages, and blobs to download.

With SANDBOX_SEED_IMAGES every repository holds the demonstration's images from its beginning.
"""

import os
from typing import Any

from moto.core.responses import ActionResult
from moto.ecr.exceptions import ScanNotFoundException
from moto.ecr.models import ECRBackend, Image, Repository, ecr_backends
from moto.ecr.responses import ECRResponse

from portal.sandbox.ecs import registry, seeding
from portal.sandbox.ecs.images import digest_of
from portal.sandbox.patching import wrap


@wrap(Image, "_create_digest")
def _digest(original: Any, self: Image) -> None:
    # Moto makes it of the layers alone, so that two images with the same layers would be one.
    self._image_digest = digest_of(self.image_manifest.encode())


@wrap(ECRResponse, "describe_images")
def _describe(original: Any, self: ECRResponse) -> ActionResult:
    backend, name = self.ecr_backend, self._get_param("repositoryName")
    asked = self._get_param("imageIds")
    found = backend.describe_images(name, self._get_param("registryId"), asked)
    condition = self._get_param("filter") or {}
    rows = [image for image in found if asked or registry.fits(image, condition)]
    # Moto answers with a set where images are asked for by name.
    rows.sort(key=lambda image: (image.image_pushed_at, image.image_digest))
    page, token = registry.page(rows, self._get_param("maxResults"), self._get_param("nextToken"))
    return ActionResult(
        {"imageDetails": [registry.detail(backend, image) for image in page], "nextToken": token}
    )


@wrap(ECRResponse, "describe_image_scan_findings")
def _findings(original: Any, self: ECRResponse) -> ActionResult:
    backend, wanted = self.ecr_backend, self._get_param("imageId") or {}
    repository = backend._get_repository(self._get_param("repositoryName"), self._get_param("registryId"))
    image = repository._get_image(wanted.get("imageTag"), wanted.get("imageDigest"))
    facts = registry.facts_of(backend, image)
    if facts is None:
        answer: ActionResult = original(self)
        return answer
    if facts.get("scan") is None:
        raise ScanNotFoundException(
            image_id=f"{{imageDigest:'{image.image_digest}'}}",
            repository_name=repository.name,
            registry_id=repository.registry_id,
        )
    return ActionResult(registry.scan_findings(repository, image, facts["scan"]))


@wrap(ECRResponse, "get_download_url_for_layer")
def _download_url(original: Any, self: ECRResponse) -> ActionResult:
    name, digest = self._get_param("repositoryName"), self._get_param("layerDigest")
    repository = self.ecr_backend._get_repository(name, self._get_param("registryId"))
    registry.check_layer(self.ecr_backend, repository, digest)
    place = f"{self.current_account}/{self.region}/{digest}"
    address = f"{self.parsed_url.scheme}://{self.parsed_url.netloc}{registry.BLOBS}{place}"
    return ActionResult({"downloadUrl": address, "layerDigest": digest})


@wrap(ECRBackend, "create_repository")
def _create(original: Any, self: ECRBackend, *args: Any, **kwargs: Any) -> Repository:
    made: Repository = original(self, *args, **kwargs)
    if _SEEDS:
        seeding.seed(self.account_id, self.region_name, made)
    return made


@wrap(ECRBackend, "delete_repository")
def _delete(original: Any, self: ECRBackend, name: str, *args: Any, **kwargs: Any) -> Repository:
    # What nobody pushed must not keep anybody from deleting the repository.
    held = self.repositories.get(name)
    if held is not None and all(registry.facts_of(self, image) for image in held.images):
        held.images = []
    deleted: Repository = original(self, name, *args, **kwargs)
    return deleted


def _seed_empty() -> None:
    """Repositories of an earlier time, made before there was anything to put into them."""
    for account, regions in list(ecr_backends.items()):
        for region, backend in list(regions.items()):
            for repository in list(backend.repositories.values()):
                if not repository.images:
                    seeding.seed(account, region, repository)


_SEEDS = os.environ.get("SANDBOX_SEED_IMAGES", "").lower() in ("1", "true", "yes", "on")
if _SEEDS:
    _seed_empty()
