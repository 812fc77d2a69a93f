"""ElastiCache: groups with their members, parameter groups, deletions that end."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.portal.sandbox.conftest import ClientMaker


@pytest.fixture
def cache(client: ClientMaker, request: pytest.FixtureRequest) -> Any:
    """A client in an account of the test's own."""
    return client("elasticache", account=f"5{abs(hash(request.node.name)) % 10**11:011d}")


def group(cache: Any, **settings: Any) -> Any:
    given = {"NumCacheClusters": 3, "CacheNodeType": "cache.t4g.small", "EngineVersion": "7.0", **settings}
    answer = cache.create_replication_group(
        ReplicationGroupId="main", ReplicationGroupDescription="The cache", Engine="redis", **given
    )
    return answer["ReplicationGroup"]


def test_a_group_has_member_clusters(cache: Any) -> None:
    made = group(cache, SecurityGroupIds=["sg-1"], CacheParameterGroupName="mine", SnapshotRetentionLimit=5)
    assert made["MemberClusters"] == ["main-001", "main-002", "main-003"]
    members = cache.describe_cache_clusters()["CacheClusters"]
    assert [member["CacheClusterId"] for member in members] == made["MemberClusters"]
    for member in members:
        assert member["EngineVersion"] == "7.0.7"
        assert member["ReplicationGroupId"] == "main"
        assert member["SecurityGroups"] == [{"SecurityGroupId": "sg-1", "Status": "active"}]
        assert member["CacheParameterGroup"]["CacheParameterGroupName"] == "mine"
        assert member["PreferredAvailabilityZone"].startswith("ap-northeast-2")
    (node_group,) = made["NodeGroups"]
    zones = {node["PreferredAvailabilityZone"] for node in node_group["NodeGroupMembers"]}
    assert zones == {"ap-northeast-2a", "ap-northeast-2c"}


def test_changes_reach_the_members(cache: Any) -> None:
    group(cache)
    changed = cache.modify_replication_group(
        ReplicationGroupId="main",
        SnapshotWindow="01:00-02:00",
        PreferredMaintenanceWindow="mon:03:00-mon:04:00",
        SecurityGroupIds=["sg-2"],
        CacheNodeType="cache.r7g.large",
        AutoMinorVersionUpgrade=False,
    )["ReplicationGroup"]
    assert changed["SnapshotWindow"] == "01:00-02:00"
    for member in cache.describe_cache_clusters()["CacheClusters"]:
        assert member["PreferredMaintenanceWindow"] == "mon:03:00-mon:04:00"
        assert member["SecurityGroups"][0]["SecurityGroupId"] == "sg-2"
        assert member["CacheNodeType"] == "cache.r7g.large"
        assert member["AutoMinorVersionUpgrade"] is False


def test_deleting_ends(cache: Any) -> None:
    group(cache)
    cache.delete_replication_group(ReplicationGroupId="main")
    with pytest.raises(ClientError, match="ReplicationGroupNotFound"):
        cache.describe_replication_groups(ReplicationGroupId="main")
    assert cache.describe_cache_clusters()["CacheClusters"] == []


def test_the_primary_can_be_kept(cache: Any) -> None:
    group(cache)
    cache.delete_replication_group(ReplicationGroupId="main", RetainPrimaryCluster=True)
    kept = cache.describe_cache_clusters()["CacheClusters"]
    assert [member["CacheClusterId"] for member in kept] == ["main-001"]
    cache.delete_cache_cluster(CacheClusterId="main-001")
    with pytest.raises(ClientError, match="CacheClusterNotFound"):
        cache.describe_cache_clusters(CacheClusterId="main-001")


def test_parameter_groups(cache: Any) -> None:
    made = cache.create_cache_parameter_group(
        CacheParameterGroupName="mine",
        CacheParameterGroupFamily="redis7",
        Description="mine",
        Tags=[{"Key": "Owner", "Value": "us"}],
    )["CacheParameterGroup"]
    assert cache.list_tags_for_resource(ResourceName=made["ARN"])["TagList"][0]["Value"] == "us"
    with pytest.raises(ClientError, match="CacheParameterGroupAlreadyExists"):
        cache.create_cache_parameter_group(
            CacheParameterGroupName="mine", CacheParameterGroupFamily="redis7", Description="again"
        )
    values = {"maxmemory-policy": "allkeys-lru", "timeout": "300"}
    cache.modify_cache_parameter_group(
        CacheParameterGroupName="mine",
        ParameterNameValues=[{"ParameterName": k, "ParameterValue": v} for k, v in values.items()],
    )
    assert parameters(cache) == values
    cache.reset_cache_parameter_group(
        CacheParameterGroupName="mine", ParameterNameValues=[{"ParameterName": "timeout"}]
    )
    assert parameters(cache) == {"maxmemory-policy": "allkeys-lru"}
    cache.reset_cache_parameter_group(CacheParameterGroupName="mine", ResetAllParameters=True)
    assert parameters(cache) == {}
    assert len(cache.describe_cache_parameter_groups()["CacheParameterGroups"]) == 1
    cache.delete_cache_parameter_group(CacheParameterGroupName="mine")
    with pytest.raises(ClientError, match="CacheParameterGroupNotFound"):
        cache.describe_cache_parameters(CacheParameterGroupName="mine")


def parameters(cache: Any) -> dict[str, str]:
    found = cache.describe_cache_parameters(CacheParameterGroupName="mine", Source="user")["Parameters"]
    return {parameter["ParameterName"]: parameter["ParameterValue"] for parameter in found}


def test_subnet_groups_can_be_deleted(cache: Any) -> None:
    cache.create_cache_subnet_group(
        CacheSubnetGroupName="mine", CacheSubnetGroupDescription="mine", SubnetIds=["subnet-1"]
    )
    cache.delete_cache_subnet_group(CacheSubnetGroupName="mine")
    with pytest.raises(ClientError, match="CacheSubnetGroupNotFound"):
        cache.delete_cache_subnet_group(CacheSubnetGroupName="mine")
