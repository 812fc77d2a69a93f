"""RDS: snapshots of databases, and whether the internet reaches them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call, pages

ALREADY_THERE = {"DBSnapshotAlreadyExists", "DBSnapshotAlreadyExistsFault"}


def create_snapshot(access: AccountAccess, db_identifier: str, snapshot_id: str) -> None:
    """Begin a snapshot of a database; follow it with `snapshot_status`.

    Asking again for the same snapshot of the same database is fine. Raises AwsError: permanent when
    there is no such database, or the name is taken by a snapshot of another one.
    """
    try:
        call(
            access,
            "rds",
            "create_db_snapshot",
            DBInstanceIdentifier=db_identifier,
            DBSnapshotIdentifier=snapshot_id,
            Tags=[{"Key": "created-by", "Value": "gatehouse"}],
        )
    except AwsError as error:
        if error.code not in ALREADY_THERE:
            raise
        owner = _snapshot(access, snapshot_id)["DBInstanceIdentifier"]
        if owner != db_identifier:
            raise AwsError(
                _("The snapshot %(name)s exists already, and is one of %(owner)s.")
                % {"name": snapshot_id, "owner": owner},
                code=error.code,
                permanent=True,
            ) from error


def snapshot_status(access: AccountAccess, snapshot_id: str) -> str:
    """AWS's word for where a snapshot is: "creating", "available", "failed", ... Does not wait.

    Raises AwsError (DBSnapshotNotFound) when it is not there.
    """
    return str(_snapshot(access, snapshot_id)["Status"])


def _snapshot(access: AccountAccess, snapshot_id: str) -> dict[str, Any]:
    answer = call(access, "rds", "describe_db_snapshots", DBSnapshotIdentifier=snapshot_id)
    found: list[dict[str, Any]] = answer["DBSnapshots"]
    if not found:
        raise AwsError(
            _("There is no snapshot %(name)s.") % {"name": snapshot_id},
            code="DBSnapshotNotFound",
            permanent=True,
        )
    return found[0]


def public_instances(access: AccountAccess) -> dict[str, bool]:
    """identifier -> whether the internet can reach it, of every database in the region. Raises AwsError."""
    return {
        str(row["DBInstanceIdentifier"]): bool(row.get("PubliclyAccessible"))
        for page in pages(access, "rds", "describe_db_instances")
        for row in page["DBInstances"]
    }


def make_private(access: AccountAccess, db_identifier: str) -> None:
    """Take the database off the internet, at once. Raises AwsError."""
    call(
        access,
        "rds",
        "modify_db_instance",
        DBInstanceIdentifier=db_identifier,
        PubliclyAccessible=False,
        ApplyImmediately=True,
    )
