"""ElastiCache: replication groups with their member clusters, deletions that end."""

import re
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.exceptions import CacheSubnetGroupNotFound
from moto.elasticache.models import CacheCluster, ElastiCacheBackend, ReplicationGroup
from moto.elasticache.responses import ElastiCacheResponse

import portal.sandbox.additions.cache_parameters  # noqa: F401 - parameter groups are the other half
from portal.sandbox.patching import add, wrap

# What AWS makes of an engine version given without its patch level.
_PATCH_LEVELS = {"7.0": "7.0.7", "7.1": "7.1.0", "6.2": "6.2.6", "6.x": "6.2.6"}
_DEFAULT_VERSION = "7.1"
_ARN = re.compile(
    r"^arn:aws[^:]*:elasticache:.*:[0-9]*:"
    r"(cluster|snapshot|subnetgroup|replicationgroup|parametergroup|user|usergroup):.*$"
)
# Settings of a new cluster that a member of a replication group never has.
_NOT_OF_MEMBERS = (
    "az_mode",
    "snapshot_name",
    "outpost_mode",
    "preferred_outpost_arn",
    "preferred_availability_zones",
    "cache_security_group_names",
    "tags",
    "snapshot_arns",
    "preferred_outpost_arns",
    "cache_node_ids_to_remove",
    "cache_node_ids_to_reboot",
)


@wrap(ElastiCacheBackend, "__init__")
def _backend(original: Any, self: ElastiCacheBackend, region_name: str, account_id: str) -> None:
    original(self, region_name, account_id)
    self.arn_regex = _ARN


@wrap(ElastiCacheBackend, "create_replication_group")
def _create(original: Any, self: ElastiCacheBackend, **settings: Any) -> ReplicationGroup:
    if not settings.get("num_node_groups") and not settings.get("replicas_per_node_group"):
        settings["replicas_per_node_group"] = (settings.get("num_cache_clusters") or 1) - 1
    group: ReplicationGroup = original(self, **settings)
    zones = {
        member["cache_cluster_id"]: f"{self.region_name}{'ac'[number % 2]}"
        for number, member in enumerate(_nodes(group))
    }
    for member in _nodes(group):
        # Moto puts every node into us-east-1.
        member["preferred_availability_zone"] = zones[member["cache_cluster_id"]]
    for member_id in group.member_clusters:
        cluster = _member(self, group, member_id, zones[member_id], settings)
        self.cache_clusters[member_id] = cluster
    return group


@wrap(ElastiCacheResponse, "modify_replication_group")
def _modify(original: Any, self: ElastiCacheResponse) -> ActionResult:
    answer: ActionResult = original(self)
    group: ReplicationGroup = answer.result["ReplicationGroup"]  # type: ignore[index]
    if self._get_param("SnapshotWindow"):
        group.snapshot_window = self._get_param("SnapshotWindow")
    if self._get_param("AutoMinorVersionUpgrade") is not None:
        group.auto_minor_version_upgrade = self._get_bool_param("AutoMinorVersionUpgrade")
    for member_id in group.member_clusters:
        _modify_member(self, self.elasticache_backend.cache_clusters[member_id])
    return answer


@wrap(ElastiCacheBackend, "delete_replication_group")
def _delete(
    original: Any, self: ElastiCacheBackend, replication_group_id: str, **options: bool | None
) -> ReplicationGroup:
    found = self.replication_groups.get(replication_group_id)
    members = list(found.member_clusters) if found else []
    group: ReplicationGroup = original(self, replication_group_id, **options)
    for number, member_id in enumerate(members):
        if not (options.get("retain_primary_cluster") and number == 0):
            self.cache_clusters.pop(member_id, None)
    # Moto leaves it in the state "deleting" for ever.
    self.replication_groups.pop(replication_group_id, None)
    return group


@wrap(ElastiCacheBackend, "delete_cache_cluster")
def _delete_cluster(original: Any, self: ElastiCacheBackend, cache_cluster_id: str) -> CacheCluster:
    cluster: CacheCluster = original(self, cache_cluster_id)
    self.cache_clusters.pop(cache_cluster_id)
    return cluster


@add(ElastiCacheResponse)
def delete_cache_subnet_group(self: ElastiCacheResponse) -> EmptyResult:
    """Remove a subnet group."""
    name = self._get_param("CacheSubnetGroupName")
    if self.elasticache_backend.cache_subnet_groups.pop(name, None) is None:
        raise CacheSubnetGroupNotFound(name)
    return EmptyResult()


def _nodes(group: ReplicationGroup) -> list[dict[str, Any]]:
    return [member for node_group in group.node_groups for member in node_group["node_group_members"]]


def _member(
    backend: ElastiCacheBackend, group: ReplicationGroup, member_id: str, zone: str, settings: dict[str, Any]
) -> Any:
    upgrade = settings.get("auto_minor_version_upgrade")
    version = settings.get("engine_version") or _DEFAULT_VERSION
    cluster: Any = CacheCluster(
        account_id=backend.account_id,
        region_name=backend.region_name,
        cache_cluster_id=member_id,
        cache_node_type=group.cache_node_type,
        replication_group_id=group.replication_group_id,
        preferred_availability_zone=zone,
        num_cache_nodes=1,
        engine="redis",
        engine_version=_PATCH_LEVELS.get(version, version),
        cache_parameter_group_name=settings.get("cache_parameter_group_name"),
        cache_subnet_group_name=settings.get("cache_subnet_group_name"),
        transit_encryption_enabled=group.transit_encryption_enabled,
        network_type=group.network_type,
        ip_discovery=group.ip_discovery,
        preferred_maintenance_window=settings.get("preferred_maintenance_window") or "sun:05:00-sun:06:00",
        port=group.port,
        notification_topic_arn=settings.get("notification_topic_arn"),
        auto_minor_version_upgrade=True if upgrade is None else str(upgrade).lower() == "true",
        snapshot_retention_limit=group.snapshot_retention_limit,
        snapshot_window=group.snapshot_window,
        auth_token=settings.get("auth_token"),
        security_group_ids=settings.get("security_group_ids"),
        log_delivery_configurations=[],
        **dict.fromkeys(_NOT_OF_MEMBERS),
    )
    # Moto builds a cluster of engine "redis" only; the answer names the group's own (Valkey, say).
    cluster.engine = group.engine
    cluster.at_rest_encryption_enabled = group.at_rest_encryption_enabled
    _set_security_groups(cluster, settings.get("security_group_ids") or [])
    _set_parameter_group(cluster, settings.get("cache_parameter_group_name") or "default.redis7")
    return cluster


def _modify_member(response: ElastiCacheResponse, cluster: Any) -> None:
    asked = response._get_param
    if asked("SecurityGroupIds"):
        _set_security_groups(cluster, asked("SecurityGroupIds"))
    if asked("CacheParameterGroupName"):
        _set_parameter_group(cluster, asked("CacheParameterGroupName"))
    if asked("EngineVersion"):
        cluster.engine_version = _PATCH_LEVELS.get(asked("EngineVersion"), asked("EngineVersion"))
    for name, attribute in (
        ("CacheNodeType", "cache_node_type"),
        ("PreferredMaintenanceWindow", "preferred_maintenance_window"),
        ("NotificationTopicArn", "notification_topic_arn"),
        ("SnapshotWindow", "snapshot_window"),
    ):
        if asked(name):
            setattr(cluster, attribute, asked(name))
    if asked("SnapshotRetentionLimit") is not None:
        cluster.snapshot_retention_limit = response._get_int_param("SnapshotRetentionLimit")
    if asked("AutoMinorVersionUpgrade") is not None:
        cluster.auto_minor_version_upgrade = response._get_bool_param("AutoMinorVersionUpgrade")


def _set_security_groups(cluster: Any, group_ids: list[str]) -> None:
    cluster.security_groups = [{"SecurityGroupId": group_id, "Status": "active"} for group_id in group_ids]


def _set_parameter_group(cluster: Any, name: str) -> None:
    cluster.cache_parameter_group = {
        "CacheParameterGroupName": name,
        "ParameterApplyStatus": "in-sync",
        "CacheNodeIdsToReboot": [],
    }
