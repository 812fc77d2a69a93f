import pytest

from portal.aws import rds
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call


@pytest.fixture
def databases(access: AccountAccess) -> list[str]:
    names = ["orders", "users"]
    existing = {
        row["DBInstanceIdentifier"] for row in call(access, "rds", "describe_db_instances")["DBInstances"]
    }
    for name in names:
        if name not in existing:
            call(
                access,
                "rds",
                "create_db_instance",
                DBInstanceIdentifier=name,
                Engine="postgres",
                DBInstanceClass="db.t4g.micro",
                AllocatedStorage=20,
                MasterUsername="x",
                MasterUserPassword="long enough",
            )
    return names


def test_a_snapshot_is_made_and_followed(access: AccountAccess, databases: list[str]) -> None:
    rds.create_snapshot(access, "orders", "orders-final-1")
    assert rds.snapshot_status(access, "orders-final-1") in {"creating", "available"}
    # Asked twice, because a worker died in between.
    rds.create_snapshot(access, "orders", "orders-final-1")


def test_a_name_that_is_taken_by_another_database_is_refused(
    access: AccountAccess, databases: list[str]
) -> None:
    rds.create_snapshot(access, "orders", "shared-name")
    with pytest.raises(AwsError, match="one of orders") as caught:
        rds.create_snapshot(access, "users", "shared-name")
    assert caught.value.permanent


def test_what_is_not_there(access: AccountAccess, databases: list[str]) -> None:
    with pytest.raises(AwsError) as caught:
        rds.create_snapshot(access, "nowhere", "x-1")
    assert caught.value.code.startswith("DBInstanceNotFound")
    with pytest.raises(AwsError) as caught:
        rds.snapshot_status(access, "nowhere")
    assert caught.value.code.startswith("DBSnapshotNotFound")
