"""What stands open to the public and no state says so: buckets and databases."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from environments.runs.live.found import Extra, Landscape, Managed, Reach
from environments.runs.live.risk import lets_anybody_in, statements, texts
from environments.runs.models import LiveExtra
from portal.aws import rds, s3_exposure
from portal.core.canonical import digest

DATABASES: Final = ("aws_db_instance", "aws_rds_cluster_instance")
EVERYBODY: Final = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "AuthenticatedUsers",
}
# Canned access lists -> what they give to everybody.
CANNED: Final[Mapping[str, frozenset[tuple[str, str]]]] = {
    "public-read": frozenset({("AllUsers", "READ")}),
    "public-read-write": frozenset({("AllUsers", "READ"), ("AllUsers", "WRITE")}),
    "authenticated-read": frozenset({("AuthenticatedUsers", "READ")}),
}


def names_of(resources: Iterable[Managed], attribute: str) -> dict[str, Managed]:
    """Resources by the value of an attribute."""
    return {str(one.values[attribute]): one for one in resources if one.values.get(attribute)}


def extras(landscape: Landscape, reach: Reach) -> Iterator[Extra]:
    """Public openings of managed buckets and databases. Raises AwsError."""
    for bucket in landscape.of("aws_s3_bucket"):
        if bucket.values.get("bucket"):
            yield from _bucket(landscape, bucket, reach)
    yield from _databases(landscape, reach)


def _bucket(landscape: Landscape, bucket: Managed, reach: Reach) -> Iterator[Extra]:
    name, region = str(bucket.values["bucket"]), bucket.region or landscape.region
    access = reach(region)
    block = s3_exposure.public_access_block(access, name)
    if block is None:
        return
    written = names_of(landscape.everywhere("aws_s3_bucket_public_access_block"), "bucket").get(name)
    for switch, on in block.items():
        if written and written.values.get(switch) is True and not on:
            yield _extra(bucket, name, f"{switch} is off", "block_off", region, what="block", switch=switch)
    known = _known_statements(landscape, bucket, name)
    held = block["restrict_public_buckets"]
    for statement in s3_exposure.bucket_statements(access, name):
        reason = _statement_reason(statement, known, held=held)
        if reason:
            key = f"policy statement {statement.get('Sid') or ''} ({digest(statement)[:12]})".replace(
                "  ", " "
            )
            yield _extra(bucket, name, key, reason, region, what="bucket_policy", statement=statement)
    for grantee, permission in s3_exposure.bucket_grants(access, name):
        who = EVERYBODY.get(grantee)
        if who and not {(who, permission), (who, "FULL_CONTROL")} & _known_grants(landscape, bucket, name):
            reason = "public_list" if permission in ("READ", "READ_ACP") else "public_list_writes"
            reason = "public_list_held" if block["ignore_public_acls"] else reason
            yield _extra(
                bucket,
                name,
                f"access list: {who} {permission}",
                reason,
                region,
                what="bucket_acl",
                grantee=grantee,
                permission=permission,
            )


def _known_statements(landscape: Landscape, bucket: Managed, name: str) -> list[Mapping[str, Any]] | None:
    """The statements of the policy that a state has for this bucket; None when none has one."""
    written = names_of(landscape.everywhere("aws_s3_bucket_policy"), "bucket").get(name)
    text = written.values.get("policy") if written else None
    if text is None and landscape.configured(bucket, "policy", unknown=False):
        text = bucket.values.get("policy")
    if not text:
        return None
    try:
        read = json.loads(str(text))
    except ValueError:
        # Masked in a neighbour's inventory: there is one, and more cannot be told.
        return []
    return statements(read) if isinstance(read, dict) else []


def _statement_reason(
    statement: Mapping[str, Any], known: list[Mapping[str, Any]] | None, *, held: bool
) -> str:
    """Why this statement is an extra; empty when it is none."""
    if lets_anybody_in(statement):
        if any(lets_anybody_in(one) and _covers(one, statement) for one in known or []):
            return ""
        return "public_policy_held" if held else "public_policy"
    if known is None and statement.get("Effect") == "Allow":
        return "foreign_policy"
    return ""


def _covers(known: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether a statement of the state allows at least the actions and resources of the live one."""
    for name in ("Action", "Resource"):
        if not set(texts(live.get(name))) <= set(texts(known.get(name))):
            return False
    return bool((known.get("Condition") or {}) == (live.get("Condition") or {}))


def _known_grants(landscape: Landscape, bucket: Managed, name: str) -> set[tuple[str, str]]:
    """What a state gives to everybody by the bucket's access list."""
    found: set[tuple[str, str]] = set()
    written = names_of(landscape.everywhere("aws_s3_bucket_acl"), "bucket").get(name)
    lists = [written.values] if written else []
    if landscape.configured(bucket, "acl", unknown=False) or landscape.configured(
        bucket, "grant", unknown=False
    ):
        lists.append(bucket.values)
    for values in lists:
        found |= CANNED.get(str(values.get("acl")), frozenset())
        for policy in values.get("access_control_policy") or []:
            for grant in policy.get("grant") or []:
                for grantee in grant.get("grantee") or []:
                    found.add((EVERYBODY.get(str(grantee.get("uri")), ""), str(grant.get("permission"))))
        for grant in values.get("grant") or []:
            who = EVERYBODY.get(str(grant.get("uri")), "")
            found |= {(who, str(one)) for one in grant.get("permissions") or []}
    return found


def _databases(landscape: Landscape, reach: Reach) -> Iterator[Extra]:
    databases = names_of(landscape.of(*DATABASES), "identifier")
    for region in sorted({one.region or landscape.region for one in databases.values()}):
        for name, public in rds.public_instances(reach(region)).items():
            one = databases.get(name)
            if not public or one is None or (one.region or landscape.region) != region:
                continue
            if one.values.get("publicly_accessible") and landscape.configured(
                one, "publicly_accessible", unknown=True
            ):
                continue
            yield _extra(one, name, "publicly accessible", "public_database", region, what="database")


def _extra(resource: Managed, name: str, key: str, reason: str, region: str, **detail: Any) -> Extra:
    return Extra(
        kind=LiveExtra.Kind.PUBLIC,
        address=resource.address,
        resource_id=name,
        key=key,
        reason=reason,
        detail={**detail, "region": region},
    )
