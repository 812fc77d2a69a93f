"""Objects in S3, read whole and never more than asked for."""

from __future__ import annotations

import re
from contextlib import closing

from botocore.exceptions import IncompleteReadError
from django.utils.translation import gettext as _

from portal.aws.errors import AwsError, aws_errors
from portal.aws.sessions import AccountAccess, call

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
LONGEST_KEY = 1024
PIECE = 1024 * 1024


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
