"""RDS: ids of their own, snapshots, replicas, Performance Insights, parameter groups."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.portal.sandbox.conftest import ClientMaker


@pytest.fixture
def rds(client: ClientMaker, request: pytest.FixtureRequest) -> Any:
    """A client in an account of the test's own."""
    return client("rds", account=f"4{abs(hash(request.node.name)) % 10**11:011d}")


def create(rds: Any, name: str, **settings: Any) -> Any:
    answer = rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        EngineVersion="16.3",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20,
        MasterUsername="somebody",
        MasterUserPassword="not-a-secret-1",
        **settings,
    )
    return answer["DBInstance"]


def test_each_instance_has_its_own_resource_id(rds: Any) -> None:
    ids = {create(rds, name)["DbiResourceId"] for name in ("one", "two", "three")}
    assert len(ids) == 3
    for resource_id in ids:
        wanted = [{"Name": "dbi-resource-id", "Values": [resource_id]}]
        assert len(rds.describe_db_instances(Filters=wanted)["DBInstances"]) == 1


def test_a_snapshot_is_available_and_outlives_its_instance(rds: Any) -> None:
    instance = create(rds, "main", Tags=[{"Key": "Owner", "Value": "us"}], CopyTagsToSnapshot=True)
    rds.create_db_snapshot(DBInstanceIdentifier="main", DBSnapshotIdentifier="weekly")
    rds.delete_db_instance(DBInstanceIdentifier="main", FinalDBSnapshotIdentifier="main-final")
    found = {s["DBSnapshotIdentifier"]: s for s in rds.describe_db_snapshots()["DBSnapshots"]}
    assert set(found) == {"weekly", "main-final"}
    for snapshot in found.values():
        assert snapshot["Status"] == "available"
        assert snapshot["SnapshotType"] == "manual"
        assert snapshot["DbiResourceId"] == instance["DbiResourceId"]
        assert snapshot["TagList"] == [{"Key": "Owner", "Value": "us"}]
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="main-final")
    with pytest.raises(ClientError, match="DBInstanceNotFound"):
        rds.describe_db_instances(DBInstanceIdentifier="main")


def test_automated_snapshot_carries_the_instances_own_id(rds: Any) -> None:
    instance = create(rds, "main")
    (snapshot,) = rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]
    assert snapshot["DbiResourceId"] == instance["DbiResourceId"]


def test_performance_insights(rds: Any) -> None:
    assert create(rds, "without")["PerformanceInsightsEnabled"] is False
    given = create(rds, "with", EnablePerformanceInsights=True, PerformanceInsightsRetentionPeriod=31)
    assert given["PerformanceInsightsEnabled"] is True
    assert given["PerformanceInsightsRetentionPeriod"] == 31
    changed = rds.modify_db_instance(DBInstanceIdentifier="with", EnablePerformanceInsights=False)
    assert changed["DBInstance"]["PerformanceInsightsEnabled"] is False
    assert "PerformanceInsightsRetentionPeriod" not in changed["DBInstance"]


def test_a_replica_is_an_instance_of_its_own(rds: Any) -> None:
    primary = create(rds, "main", MultiAZ=True, EnablePerformanceInsights=True, BackupRetentionPeriod=7)
    tags = [{"Key": "Role", "Value": "copy"}]
    replica = rds.create_db_instance_read_replica(
        DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="main", Tags=tags
    )["DBInstance"]
    assert replica["DbiResourceId"] != primary["DbiResourceId"]
    assert replica["MultiAZ"] is False
    assert replica["PerformanceInsightsEnabled"] is False
    assert replica["BackupRetentionPeriod"] == 0
    assert replica["TagList"] == tags
    rds.delete_db_instance(DBInstanceIdentifier="copy", SkipFinalSnapshot=True)
    remaining = rds.describe_db_instances()["DBInstances"]
    assert [instance["DBInstanceIdentifier"] for instance in remaining] == ["main"]
    assert remaining[0]["MultiAZ"] is True
    assert remaining[0]["DbiResourceId"] == primary["DbiResourceId"]


def test_parameters_say_that_a_user_set_them(rds: Any) -> None:
    rds.create_db_parameter_group(
        DBParameterGroupName="mine", DBParameterGroupFamily="postgres16", Description="mine"
    )
    change = {"ParameterName": "log_statement", "ParameterValue": "ddl", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="mine", Parameters=[change])
    (found,) = rds.describe_db_parameters(DBParameterGroupName="mine", Source="user")["Parameters"]
    assert found["ParameterValue"] == "ddl"
    assert found["Source"] == "user"
