"""What a change does beyond its attributes: who restarts, what waits, what is lost. Knowledge about AWS
types.

Sources: the provider's documentation of each type, and for maintenance windows
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.Settings.html and
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.Modify.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from portal.terraform.differences import AttributeChange
from portal.terraform.wording import translatable as _

EFFECTS: Final[Mapping[str, str]] = {
    "restarts_tasks": _("Tasks are replaced by new ones."),
    "scales_tasks": _("The number of tasks changes."),
    "new_task_definition": _("A new revision of the task definition is registered."),
    "waits_for_deployment": _("Takes effect with the next deployment; running tasks keep their revision."),
    "waits_for_maintenance_window": _("Takes effect only in the next maintenance window."),
    "waits_for_reboot": _("Takes effect only after the database is restarted."),
    "restarts_database": _("The database restarts and is away for some minutes."),
    "replaces_database": _("The database is deleted and created again."),
    "restarts_cache": _("The cache restarts or fails over."),
    "replaces_cache": _("The cache is deleted and created again."),
    "loses_data": _("Stored data is deleted."),
    "downtime": _("The service is not available while this happens."),
    "changes_address": _("Gets a new address; whoever uses the old one must follow."),
}
"""Code -> one sentence (English source text of a translation)."""

DATABASES: Final = frozenset(
    {"aws_db_instance", "aws_rds_cluster", "aws_rds_cluster_instance", "aws_docdb_cluster"}
)
CACHES: Final = frozenset(
    {"aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_memorydb_cluster"}
)
DATA: Final = DATABASES | frozenset(
    {
        "aws_dynamodb_table",
        "aws_ebs_volume",
        "aws_ecr_repository",
        "aws_efs_file_system",
        "aws_fsx_lustre_file_system",
        "aws_kinesis_stream",
        "aws_msk_cluster",
        "aws_opensearch_domain",
        "aws_redshift_cluster",
        "aws_s3_bucket",
        "aws_s3_object",
        "aws_backup_vault",
        "aws_docdb_cluster_instance",
        "aws_neptune_cluster",
        "aws_sqs_queue",
        "aws_kms_key",
        "aws_secretsmanager_secret",
    }
)
"""Types that hold what cannot be made again. A lost key is lost data too."""

STATEFUL: Final = DATA | CACHES

_SERVING: Final = frozenset(
    {
        "aws_lb",
        "aws_alb",
        "aws_lb_listener",
        "aws_alb_listener",
        "aws_lb_listener_rule",
        "aws_alb_listener_rule",
        "aws_nat_gateway",
        "aws_cloudfront_distribution",
    }
    | {
        "aws_ecs_service",
        "aws_ecs_cluster",
        "aws_instance",
        "aws_apigatewayv2_api",
        "aws_api_gateway_rest_api",
    }
)
_ADDRESSED: Final = frozenset(
    {"aws_lb", "aws_alb", "aws_eip", "aws_nat_gateway", "aws_cloudfront_distribution"}
)
_DATABASE_RESTART: Final = frozenset(
    {
        "instance_class",
        "engine_version",
        "parameter_group_name",
        "db_parameter_group_name",
        "port",
        "ca_cert_identifier",
    }
    | {"db_cluster_parameter_group_name", "storage_type", "option_group_name", "db_subnet_group_name"}
)
_DATABASE_WINDOW: Final = _DATABASE_RESTART | {
    "multi_az",
    "allocated_storage",
    "iops",
    "network_type",
    "domain",
}
_CACHE_WINDOW: Final = frozenset(
    {"node_type", "engine_version", "parameter_group_name", "engine", "num_cache_nodes"}
)
_NEW_TASKS: Final = frozenset(
    {"task_definition", "force_new_deployment", "network_configuration", "platform_version", "load_balancer"}
    | {"capacity_provider_strategy", "launch_type", "service_registries", "triggers", "volume_configuration"}
)


def effects_of(
    kind: str,
    action: str,
    attributes: Sequence[AttributeChange],
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> tuple[str, ...]:
    """Codes of `EFFECTS` for one change of a resource of type `kind`, most serious knowledge only, in a
    fixed order.
    """
    if action not in ("create", "update", "delete", "replace"):
        return ()
    keys = frozenset(str(change.steps[0]) for change in attributes if change.steps)
    found: set[str] = set()
    if action in ("delete", "replace"):
        found |= _gone(kind, action)
    if action == "update":
        found |= _updated(kind, keys, attributes, after or {})
    # Only its tags are changed in place. Whether tasks are replaced is said by the service (plan_effects).
    if kind == "aws_ecs_task_definition" and action in ("create", "replace"):
        found.add("new_task_definition")
    return tuple(code for code in EFFECTS if code in found)


def _gone(kind: str, action: str) -> set[str]:
    found: set[str] = set()
    if kind in DATA:
        found.add("loses_data")
    if kind in DATABASES | CACHES | _SERVING:
        found.add("downtime")
    if action == "replace":
        if kind in DATABASES:
            found.add("replaces_database")
        if kind in CACHES:
            found.add("replaces_cache")
        if kind in _ADDRESSED:
            found.add("changes_address")
        if kind == "aws_ecs_service":
            found.add("restarts_tasks")
    return found


def _updated(
    kind: str, keys: frozenset[str], attributes: Sequence[AttributeChange], after: Mapping[str, Any]
) -> set[str]:
    found: set[str] = set()
    if kind == "aws_ecs_service":
        if keys & _NEW_TASKS:
            found.add("restarts_tasks")
        if "desired_count" in keys:
            found.add("scales_tasks")
    elif kind in DATABASES:
        found |= _modified(
            keys, after, window=_DATABASE_WINDOW, restart=_DATABASE_RESTART, code="restarts_database"
        )
    elif kind in CACHES:
        found |= _modified(keys, after, window=_CACHE_WINDOW, restart=_CACHE_WINDOW, code="restarts_cache")
    elif kind in ("aws_db_parameter_group", "aws_rds_cluster_parameter_group") and _needs_reboot(
        after, attributes
    ):
        found.add("waits_for_reboot")
    return found


def _modified(
    keys: frozenset[str],
    after: Mapping[str, Any],
    *,
    window: frozenset[str],
    restart: frozenset[str],
    code: str,
) -> set[str]:
    if after.get("apply_immediately") is not True:
        return {"waits_for_maintenance_window"} if keys & window else set()
    return {code, "downtime"} if keys & restart else set()


def _needs_reboot(after: Mapping[str, Any], attributes: Sequence[AttributeChange]) -> bool:
    """A static parameter: the provider marks it `apply_method = "pending-reboot"`."""
    parameters = after.get("parameter")
    changed = {
        change.steps[1] for change in attributes if len(change.steps) > 1 and change.steps[0] == "parameter"
    }
    if not isinstance(parameters, list):
        return False
    return any(
        isinstance(one, dict) and index in changed and one.get("apply_method") == "pending-reboot"
        for index, one in enumerate(parameters)
    )
