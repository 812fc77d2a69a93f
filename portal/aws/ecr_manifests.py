"""What an image is made for and from: platforms and labels, out of its manifest and its configuration."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final

from django.utils.translation import gettext as _

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call

INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
PREFERRED: Final = "linux/amd64"
TIMEOUT: Final = 10.0
# A configuration is some kilobytes; what is larger is none.
MOST: Final = 2_000_000


@dataclass(frozen=True)
class Content:
    """Platforms such as "linux/arm64" and labels; `unread` says of each why it is not known.

    `children` are the digests of an index's own images.
    """

    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    children: tuple[str, ...] = ()


class _UnreadableError(Exception):
    """A part of an image that could not be read, with the reason."""


def read(access: AccountAccess, repository: str, digest: str) -> Content:
    """Platforms and labels of one image; never raises: what cannot be read is unknown, with the reason."""
    try:
        manifest = _manifest(access, repository, digest)
    except (AwsError, _UnreadableError) as error:
        return Content(unread={"platforms": str(error), "labels": str(error)})
    if isinstance(manifest.get("manifests"), list):
        return _of_index(access, repository, manifest)
    return _of_image(access, repository, manifest)


def _of_index(access: AccountAccess, repository: str, index: Mapping[str, Any]) -> Content:
    parts = [part for part in index["manifests"] if isinstance(part, dict) and part.get("digest")]
    # Attestations are listed as images for the platform unknown/unknown.
    named = {name: part["digest"] for part in parts if (name := _platform(part.get("platform")))}
    labels, unread = _texts(index.get("annotations")), {}
    child = named.get(PREFERRED) or next(iter(named.values()), "")
    if child:
        try:
            inner = _of_image(access, repository, _manifest(access, repository, child))
            labels, unread = dict(inner.labels) | labels, dict(inner.unread)
        except (AwsError, _UnreadableError) as error:
            unread["labels"] = str(error)
    unread.pop("platforms", None)
    if not named:
        unread["platforms"] = _("Its index names no platform.")
    return Content(tuple(sorted(named)), labels, unread, tuple(sorted(set(named.values()))))


def _of_image(access: AccountAccess, repository: str, manifest: Mapping[str, Any]) -> Content:
    annotations = _texts(manifest.get("annotations"))
    try:
        configuration = _configuration(access, repository, manifest)
    except (AwsError, _UnreadableError) as error:
        return Content(labels=annotations, unread={"platforms": str(error), "labels": str(error)})
    inner = configuration.get("config")
    labels = _texts(inner.get("Labels")) if isinstance(inner, dict) else {}
    platform = _platform(configuration)
    unread = {} if platform else {"platforms": _("Its configuration names no platform.")}
    return Content((platform,) if platform else (), labels | annotations, unread)


def _manifest(access: AccountAccess, repository: str, digest: str) -> dict[str, Any]:
    answer = call(
        access,
        "ecr",
        "batch_get_image",
        repositoryName=repository,
        imageIds=[{"imageDigest": digest}],
        acceptedMediaTypes=[*INDEXES, *MANIFESTS],
    )
    for row in answer.get("images") or []:
        return _json(row.get("imageManifest"))
    why = next((row.get("failureReason") for row in answer.get("failures") or []), None)
    raise _UnreadableError(str(why or _("ECR gave no manifest.")))


def _configuration(access: AccountAccess, repository: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    described = manifest.get("config")
    digest = described.get("digest") if isinstance(described, dict) else None
    if not isinstance(digest, str):
        raise _UnreadableError(_("Its manifest names no configuration."))
    answer = call(access, "ecr", "get_download_url_for_layer", repositoryName=repository, layerDigest=digest)
    content = _fetch(access, str(answer.get("downloadUrl") or ""))
    if "sha256:" + hashlib.sha256(content).hexdigest() != digest:
        raise _UnreadableError(_("What ECR gave as its configuration has another digest."))
    return _json(content)


def _fetch(access: AccountAccess, url: str) -> bytes:
    """The blob at ECR's address: https only, or the account's own sandbox; no redirects, a limited size."""
    own = access.endpoint_url.rstrip("/") + "/" if access.endpoint_url else None
    if not url.startswith("https://") and not (own and url.startswith(own)):
        raise _UnreadableError(_("ECR gave an address that is not https."))
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            content: bytes = answer.read(MOST + 1)
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else type(error).__name__
        raise _UnreadableError(
            _("Its configuration could not be fetched: %(why)s") % {"why": reason}
        ) from error
    if len(content) > MOST:
        raise _UnreadableError(_("Its configuration is larger than two megabytes."))
    return content


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _json(content: Any) -> dict[str, Any]:
    try:
        read_as = json.loads(content)
    except (TypeError, ValueError, RecursionError) as error:
        raise _UnreadableError(_("What ECR gave is no JSON.")) from error
    if not isinstance(read_as, dict):
        raise _UnreadableError(_("What ECR gave is no JSON object."))
    return read_as


def _platform(said: Any) -> str:
    if not isinstance(said, dict):
        return ""
    parts = [said.get("os"), said.get("architecture"), said.get("variant")]
    if not all(isinstance(part, str) and part not in ("", "unknown") for part in parts[:2]):
        return ""
    return "/".join(part for part in parts if isinstance(part, str) and part)


def _texts(said: Any) -> dict[str, str]:
    if not isinstance(said, dict):
        return {}
    return {str(name)[:200]: value[:2000] for name, value in said.items() if isinstance(value, str)}
