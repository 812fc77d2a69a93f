"""Which image is meant: from a tag, a digest or a whole reference to exactly one digest in the repository."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.deployments.services import Service
from portal.aws import ecr
from portal.aws.ecr import Image
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
HOST: Final = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")
# A whole reference is at most so long: host, repository (256), tag (128), digest (71).
LONGEST: Final = 600


@dataclass(frozen=True)
class Reference:
    """An image's reference in parts; what it does not say is empty."""

    host: str = ""
    repository: str = ""
    tag: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Resolved:
    """The image that was meant, and the tag it was asked for by (or carries), as far as there is one."""

    image: Image
    tag: str


def parse(text: str) -> Reference | None:
    """The parts of "host/repository:tag@digest", of a tag or of a digest alone; None when it is none of these.

    A lone word is a tag, as people write it in requests; a repository needs its host.
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None
    if DIGEST.fullmatch(text):
        return Reference(digest=text)
    if TAG.fullmatch(text):
        return Reference(tag=text)
    rest, at, digest = text.partition("@")
    if at and not DIGEST.fullmatch(digest):
        return None
    host, _slash, path = rest.partition("/")
    name, colon, tag = path.partition(":")
    if not path or not name or (colon and not TAG.fullmatch(tag)) or not (tag or digest):
        return None
    return Reference(host, name, tag, digest)


def digest_in(reference: str) -> str:
    """The digest that an image's reference is pinned to; empty when it names a tag."""
    found = parse(reference)
    return found.digest if found else ""


def repository_of(
    access: AccountAccess, service: Service, running_definition: Mapping[str, Any] | None = None
) -> str:
    """The ECR repository of the service's images: as declared, else that of what its container runs now.

    Raises AwsError when neither says one in the account's own registry.
    """
    if service.declaration.repository:
        return _name(service.declaration.repository)
    found = parse(running_image(service, running_definition or {}))
    if found and found.host == ecr.registry_host(access):
        return found.repository
    raise AwsError(
        _("It is not known which ECR repository holds the images of %(service)s.")
        % {"service": service.name},
        code="NoRepository",
        permanent=True,
        hint=_("Declare `repository` in the output `deployments` of its blueprint."),
    )


def running_image(service: Service, definition: Mapping[str, Any]) -> str:
    """The image that the service's container names in this task definition; empty when there is none."""
    container = container_of(service.declaration.container, definition)
    return str(container.get("image") or "") if container else ""


def container_of(name: str, definition: Mapping[str, Any]) -> dict[str, Any] | None:
    """The container of this name, or the first one when no name is said."""
    containers: Sequence[dict[str, Any]] = definition.get("containerDefinitions") or []
    if not name:
        return containers[0] if containers else None
    return next((one for one in containers if one.get("name") == name), None)


def resolve(
    access: AccountAccess,
    service: Service,
    wanted: str,
    running_definition: Mapping[str, Any] | None = None,
) -> Resolved:
    """The one image that `wanted` means: a tag, sha256:..., or a whole reference in the service's repository.

    `running_definition` tells the repository of a service that declares none. Raises AwsError: permanent when
    it is no reference, of another registry or repository, or not there.
    """
    reference = parse(wanted)
    if reference is None:
        raise _wrong(_("“%(image)s” is neither a tag nor a digest of an image.") % {"image": wanted[:200]})
    repository = repository_of(access, service, running_definition)
    _same_place(access, reference, repository)
    image = ecr.find(access, repository, reference.digest or reference.tag)
    if reference.tag and reference.digest and reference.tag not in image.tags:
        raise _wrong(
            _("The tag %(tag)s is not on %(digest)s any more.")
            % {"tag": reference.tag, "digest": reference.digest}
        )
    return Resolved(image, reference.tag or (image.tags[0] if image.tags else ""))


def _same_place(access: AccountAccess, reference: Reference, repository: str) -> None:
    if reference.host and reference.host != ecr.registry_host(access):
        raise _wrong(
            _("%(host)s is not this account's registry, which is %(own)s.")
            % {"host": reference.host, "own": ecr.registry_host(access)}
        )
    if reference.repository and reference.repository != repository:
        raise _wrong(
            _("The service's images are in the repository %(own)s, not in %(other)s.")
            % {"own": repository, "other": reference.repository}
        )


def _name(declared: str) -> str:
    """A repository is declared by its name, its address or its ARN."""
    if declared.startswith("arn:"):
        return declared.partition(":repository/")[2]
    host, slash, name = declared.partition("/")
    return name if slash and HOST.fullmatch(host) else declared


def _wrong(message: str) -> AwsError:
    hint = _("Give a tag of the repository, or a digest: sha256: and 64 hexadecimal digits.")
    return AwsError(message, code="WrongImage", permanent=True, hint=hint)
