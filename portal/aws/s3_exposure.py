"""S3: what opens a bucket to others: its public-access block, its policy, its access list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call

# Our word (Terraform's attribute) -> S3's.
BLOCKS: Final[Mapping[str, str]] = {
    "block_public_acls": "BlockPublicAcls",
    "block_public_policy": "BlockPublicPolicy",
    "ignore_public_acls": "IgnorePublicAcls",
    "restrict_public_buckets": "RestrictPublicBuckets",
}
_NO_BUCKET: Final = {"NoSuchBucket", "404"}


def public_access_block(access: AccountAccess, bucket: str) -> dict[str, bool] | None:
    """The four switches, all off when none is set; None when there is no such bucket. Raises AwsError."""
    try:
        answer = call(access, "s3", "get_public_access_block", Bucket=bucket)
    except AwsError as error:
        if error.code == "NoSuchPublicAccessBlockConfiguration":
            return dict.fromkeys(BLOCKS, False)
        if error.code in _NO_BUCKET:
            return None
        raise
    found = answer["PublicAccessBlockConfiguration"]
    return {name: bool(found.get(theirs)) for name, theirs in BLOCKS.items()}


def bucket_statements(access: AccountAccess, bucket: str) -> list[dict[str, Any]]:
    """The statements of the bucket's policy; none without a policy or bucket. Raises AwsError."""
    return _statements(_policy(access, bucket))


def _policy(access: AccountAccess, bucket: str) -> dict[str, Any]:
    try:
        text = call(access, "s3", "get_bucket_policy", Bucket=bucket)["Policy"]
    except AwsError as error:
        if error.code == "NoSuchBucketPolicy" or error.code in _NO_BUCKET:
            return {}
        raise
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _statements(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = policy.get("Statement") or []
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def bucket_grants(access: AccountAccess, bucket: str) -> list[tuple[str, str]]:
    """(grantee, permission) of the bucket's access list; the grantee is an id or a group's URI. Raises AwsError."""
    try:
        answer = call(access, "s3", "get_bucket_acl", Bucket=bucket)
    except AwsError as error:
        if error.code in _NO_BUCKET:
            return []
        raise
    return [_grant(row) for row in answer.get("Grants", [])]


def _grant(row: Mapping[str, Any]) -> tuple[str, str]:
    grantee = row.get("Grantee") or {}
    return str(grantee.get("URI") or grantee.get("ID") or ""), str(row.get("Permission", ""))


def switch_block_on(access: AccountAccess, bucket: str, names: Iterable[str]) -> None:
    """Turn these switches on and leave the others as they are. Raises AwsError."""
    wanted = {**(public_access_block(access, bucket) or {}), **dict.fromkeys(names, True)}
    configuration = {theirs: bool(wanted.get(name)) for name, theirs in BLOCKS.items()}
    call(
        access,
        "s3",
        "put_public_access_block",
        Bucket=bucket,
        PublicAccessBlockConfiguration=configuration,
    )


def remove_statement(access: AccountAccess, bucket: str, statement: Mapping[str, Any]) -> bool:
    """Write the policy back without this statement; False when it was not in it. Raises AwsError."""
    policy = _policy(access, bucket)
    kept: Sequence[dict[str, Any]] = [one for one in _statements(policy) if one != statement]
    if len(kept) == len(_statements(policy)):
        return False
    if kept:
        call(
            access, "s3", "put_bucket_policy", Bucket=bucket, Policy=json.dumps({**policy, "Statement": kept})
        )
    else:
        call(access, "s3", "delete_bucket_policy", Bucket=bucket)
    return True


def remove_grant(access: AccountAccess, bucket: str, grantee: str, permission: str) -> bool:
    """Write the access list back without this grant; False when it was not in it. Raises AwsError."""
    answer = call(access, "s3", "get_bucket_acl", Bucket=bucket)
    kept = [row for row in answer["Grants"] if _grant(row) != (grantee, permission)]
    if len(kept) == len(answer["Grants"]):
        return False
    policy = {"Owner": answer["Owner"], "Grants": kept}
    call(access, "s3", "put_bucket_acl", Bucket=bucket, AccessControlPolicy=policy)
    return True
