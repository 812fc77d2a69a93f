"""Reading an object whole: what comes, what is too much, and what S3 says when it does not."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from portal.aws import objects
from portal.aws.errors import AwsError, aws_errors
from portal.aws.objects import read_object
from portal.aws.sessions import AccountAccess, call

CONTENT = b"0123456789" * 1000


@pytest.fixture
def bucket(access: AccountAccess) -> str:
    name = f"states-{uuid.uuid4().hex[:12]}"
    where = {"LocationConstraint": access.region}
    call(access, "s3", "create_bucket", Bucket=name, CreateBucketConfiguration=where)
    return name


def test_the_newest_version_of_an_object(access: AccountAccess, bucket: str) -> None:
    call(access, "s3", "put_bucket_versioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    key = "team a/über prod.tfstate"
    call(access, "s3", "put_object", Bucket=bucket, Key=key, Body=b"first")
    call(access, "s3", "put_object", Bucket=bucket, Key=key, Body=CONTENT)
    assert read_object(access, bucket, key, most=len(CONTENT)) == CONTENT


def test_a_larger_one_is_refused_and_not_read_to_its_end(access: AccountAccess, bucket: str) -> None:
    call(access, "s3", "put_object", Bucket=bucket, Key="k", Body=CONTENT)
    with pytest.raises(AwsError) as caught:
        read_object(access, bucket, "k", most=len(CONTENT) - 1)
    assert (caught.value.code, caught.value.permanent) == ("TooLarge", True)


def test_what_is_not_there(access: AccountAccess, bucket: str) -> None:
    with pytest.raises(AwsError) as caught:
        read_object(access, bucket, "missing", most=10)
    assert caught.value.code == "NoSuchKey"
    with pytest.raises(AwsError) as caught:
        read_object(access, f"{bucket}-not", "missing", most=10)
    assert caught.value.code == "NoSuchBucket"


def test_a_refusal_names_the_permission_and_what_else_it_may_mean(
    monkeypatch: Any, access: AccountAccess
) -> None:
    def refused(*args: Any, **parameters: Any) -> Any:
        with aws_errors("s3"):
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "GetObject")

    monkeypatch.setattr(objects, "call", refused)
    with pytest.raises(AwsError) as caught:
        read_object(access, "bucket", "key", most=10)
    assert caught.value.action == "s3:GetObject"
    assert "s3:GetObject" in caught.value.hint
    assert "s3:ListBucket" in caught.value.hint


def test_an_object_that_breaks_off_is_worth_another_try(monkeypatch: Any, access: AccountAccess) -> None:
    cut = StreamingBody(io.BytesIO(CONTENT[:100]), content_length=len(CONTENT))
    monkeypatch.setattr(objects, "call", lambda *args, **parameters: {"Body": cut})
    with pytest.raises(AwsError) as caught:
        read_object(access, "bucket", "key", most=len(CONTENT))
    assert (caught.value.code, caught.value.permanent) == ("Truncated", False)
