"""A bucket that keeps copies: writing each object once, listing them, and what is wrong with the bucket itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from portal.aws.errors import AwsError
from portal.aws.s3_exposure import public_access_block
from portal.aws.sessions import AccountAccess, call, pages

THERE_ALREADY = frozenset({"PreconditionFailed", "412"})
NO_BUCKET = frozenset({"NoSuchBucket", "404"})


@dataclass(frozen=True)
class StoredObject:
    """One object as a listing tells of it."""

    key: str
    size: int
    modified: datetime


def put_once(access: AccountAccess, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
    """Write an object unless one has this key; False when there was one. Encrypted at rest by the bucket.

    The bucket must belong to the account itself: names of buckets are taken by whoever comes first.
    Raises AwsError; s3:PutObject is all it needs.
    """
    parameters = {
        "Bucket": bucket,
        "Key": key,
        "Body": body,
        "Metadata": dict(metadata),
        "ContentType": "application/json",
        "ExpectedBucketOwner": access.account_id,
    }
    try:
        answer = call(access, "s3", "put_object", **parameters, IfNoneMatch="*")
    except AwsError as refused:
        if refused.code in THERE_ALREADY:
            return False
        raise
    if not answer.get("ServerSideEncryption"):
        # S3 encrypts by the bucket's own rule and says so. What stays silent is told to.
        call(access, "s3", "put_object", **parameters, ServerSideEncryption="AES256")
    return True


def stored(access: AccountAccess, bucket: str, prefix: str) -> list[StoredObject]:
    """Every object below a prefix, the newest first. Raises AwsError; needs s3:ListBucket."""
    found = [
        StoredObject(str(row["Key"]), int(row["Size"]), row["LastModified"])
        for page in pages(
            access,
            "s3",
            "list_objects_v2",
            Bucket=bucket,
            Prefix=prefix,
            ExpectedBucketOwner=access.account_id,
        )
        for row in page.get("Contents", [])
    ]
    return sorted(found, key=lambda one: (one.modified, one.key), reverse=True)


def shortcomings(access: AccountAccess, bucket: str) -> list[str]:
    """What speaks against keeping secrets in this bucket, in sentences; [] when nothing does. Never raises AwsError."""
    try:
        call(access, "s3", "head_bucket", Bucket=bucket, ExpectedBucketOwner=access.account_id)
    except AwsError as refused:
        if refused.code in NO_BUCKET:
            return [_("There is no bucket %(name)s. Nothing is copied until there is.") % {"name": bucket}]
        said = {"name": bucket, "why": refused.message}
        return [_("The bucket %(name)s cannot be looked at: %(why)s") % said]
    found = [_versioning(access, bucket), _openness(access, bucket)]
    return [text for text in found if text]


def _versioning(access: AccountAccess, bucket: str) -> str:
    try:
        answer = call(access, "s3", "get_bucket_versioning", Bucket=bucket)
    except AwsError as refused:
        return _("Whether the bucket keeps versions cannot be told: %(why)s") % {"why": refused.message}
    if answer.get("Status") != "Enabled":
        return _("The bucket does not keep versions: who deletes a copy there deletes it for good.")
    return ""


def _openness(access: AccountAccess, bucket: str) -> str:
    try:
        block = public_access_block(access, bucket) or {}
        if call(access, "s3", "get_bucket_policy_status", Bucket=bucket)["PolicyStatus"].get("IsPublic"):
            return _(
                "The bucket's policy opens it to the public. States hold secrets in clear: close it first."
            )
    except AwsError as refused:
        if refused.code != "NoSuchBucketPolicy":
            return _("Whether the bucket is public cannot be told: %(why)s") % {"why": refused.message}
    if not block or not all(block.values()):
        return _(
            "The bucket does not block public access. States hold secrets in clear: switch the block on."
        )
    return ""
