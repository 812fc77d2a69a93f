"""Objects in S3: read whole and never more than asked for; listed, written and deleted."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import IncompleteReadError
from django.utils.translation import gettext as _

from portal.aws.errors import AwsError, aws_errors
from portal.aws.sessions import AccountAccess, call, pages

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
LONGEST_KEY = 1024
PIECE = 1024 * 1024
# DeleteObjects takes no more at once.
DELETED_AT_ONCE = 1000


@dataclass(frozen=True)
class Listed:
    """One object as a listing tells of it; the ETag is its MD5 unless KMS encrypts it or it came in parts."""

    key: str
    size: int
    etag: str
    modified: datetime


def read_object(access: AccountAccess, bucket: str, key: str, *, most: int) -> bytes:
    """The newest version of an object of at most `most` bytes.

    Raises AwsError: NoSuchKey or NoSuchBucket, AccessDenied naming s3:GetObject, TooLarge, Truncated.
    """
    try:
        answer = call(access, "s3", "get_object", Bucket=bucket, Key=key)
    except AwsError as refused:
        if refused.action == "s3:GetObject":
            refused.hint += " " + _(
                "S3 says the same of an object that does not exist to a role without s3:ListBucket."
            )
        raise
    parts, size = [], 0
    with closing(answer["Body"]) as body, aws_errors("s3"):
        try:
            for piece in body.iter_chunks(PIECE):
                size += len(piece)
                if size > most:
                    raise AwsError(
                        _("The object is larger than the %(n)s MB that are accepted here.")
                        % {"n": most // 1024**2},
                        code="TooLarge",
                        permanent=True,
                    )
                parts.append(piece)
        except IncompleteReadError as cut:
            raise AwsError(
                _("The object arrived cut off. Try again."), code="Truncated", permanent=False
            ) from cut
    return b"".join(parts)


def listing(access: AccountAccess, bucket: str) -> list[Listed]:
    """Every object of the account's own bucket, by key. Raises AwsError; needs s3:ListBucket."""
    asked = {"Bucket": bucket, "ExpectedBucketOwner": access.account_id}
    return [
        Listed(str(row["Key"]), int(row["Size"]), str(row["ETag"]).strip('"'), row["LastModified"])
        for page in pages(access, "s3", "list_objects_v2", **asked)
        for row in page.get("Contents", [])
    ]


def put_object(access: AccountAccess, bucket: str, key: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Write an object, over any there is, into the account's own bucket. Raises AwsError.

    S3 compares what arrives with its SHA-256. `headers` are PutObject's own: ContentType, CacheControl.
    """
    checksum = base64.b64encode(hashlib.sha256(body).digest()).decode()
    call(
        access,
        "s3",
        "put_object",
        Bucket=bucket,
        Key=key,
        Body=body,
        ChecksumSHA256=checksum,
        Metadata={"sha256": hashlib.sha256(body).hexdigest()},
        ExpectedBucketOwner=access.account_id,
        **headers,
    )


def sha256_of(access: AccountAccess, bucket: str, key: str) -> str:
    """What `put_object` said of the object: the SHA-256 of its content, "" when somebody else wrote it.

    Raises AwsError.
    """
    answer = call(access, "s3", "head_object", Bucket=bucket, Key=key, ExpectedBucketOwner=access.account_id)
    return str((answer.get("Metadata") or {}).get("sha256", ""))


def delete_objects(access: AccountAccess, bucket: str, keys: Sequence[str]) -> None:
    """Delete these objects of the account's own bucket. Raises AwsError, also when one of them could not be."""
    for start in range(0, len(keys), DELETED_AT_ONCE):
        some = [{"Key": key} for key in keys[start : start + DELETED_AT_ONCE]]
        answer = call(
            access,
            "s3",
            "delete_objects",
            Bucket=bucket,
            Delete={"Objects": some, "Quiet": True},
            ExpectedBucketOwner=access.account_id,
        )
        for failed in answer.get("Errors", []):
            raise AwsError(
                _("%(key)s could not be deleted: %(why)s")
                % {"key": failed.get("Key"), "why": failed.get("Message") or failed.get("Code")},
                code=str(failed.get("Code") or "Unknown"),
                permanent=failed.get("Code") == "AccessDenied",
            )
