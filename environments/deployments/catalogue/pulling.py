"""The image did not come to the task."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from environments.deployments.catalogue.shapes import Entry, about_pulling, denied, entry

_UNREACHED = (
    "i/o timeout",
    "deadline exceeded",
    "no route to host",
    "connection refused",
    "dial tcp",
    "no such host",
)

PULLING: Final[tuple[Entry, ...]] = (
    entry(
        "pull-rate-limit",
        _("The registry's limit of pulls is used up"),
        _("The registry answered that too many images were pulled from this address."),
        _(
            "Wait and try again, or keep the image in the account's own ECR, directly or by a pull-through cache."
        ),
        lambda f: about_pulling(f) and f.says("toomanyrequests", "rate limit", "429"),
    ),
    entry(
        "pull-platform",
        _("The image is not made for this platform"),
        _("The image has no variant for the platform that the task definition asks for."),
        _("Build it for the task definition's runtime platform (docker build --platform) and push it again."),
        lambda f: (
            about_pulling(f)
            and f.says("no matching manifest", "does not contain descriptor matching platform")
        ),
    ),
    entry(
        "pull-not-found",
        _("The image does not exist"),
        _("The registry has no image of this tag or digest. A lifecycle rule may have deleted it."),
        _("Compare the address with the repository's images; push the image again or deploy another one."),
        lambda f: (
            about_pulling(f) and f.says("not found", "notfound", "manifest unknown", "no such manifest")
        ),
    ),
    entry(
        "pull-denied",
        _("The task may not pull the image"),
        _("The execution role, or the repository's policy, does not allow it."),
        _(
            "Attach AmazonECSTaskExecutionRolePolicy to the execution role. For a repository in another account its "
            "policy must allow this one."
        ),
        lambda f: (
            about_pulling(f) and (denied(f) or f.says("pull access denied", "no basic auth credentials"))
        ),
    ),
    entry(
        "pull-unreachable",
        _("The registry cannot be reached from the task's subnet"),
        _("There is no way from the task to ECR or to the S3 buckets that hold the layers."),
        _(
            "Check the subnet's route to its NAT gateway, or the endpoints ecr.api, ecr.dkr and s3, and that the "
            "security groups let HTTPS out."
        ),
        lambda f: about_pulling(f) and f.says(*_UNREACHED),
    ),
    entry(
        "pull-disk",
        _("The image does not fit on the task's disk"),
        _("The task's temporary storage is full before the image is unpacked."),
        _("Make the image smaller, or raise the task definition's ephemeral storage."),
        lambda f: about_pulling(f) and f.says("no space left"),
    ),
    entry(
        "pull",
        _("The image could not be pulled"),
        _("ECS tried several times and gave up; AWS's own words say more."),
        _("Check the image's address, the execution role's rights and the way to the registry."),
        about_pulling,
    ),
)
