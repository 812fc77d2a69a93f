"""RDS: resource ids of their own, Performance Insights, replicas, parameters set by the user."""

from typing import Any

from moto.moto_api._internal import mock_random
from moto.rds.models import DBInstance, DBParameterGroup, RDSBackend

from portal.sandbox.patching import wrap

_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@wrap(DBInstance, "__init__")
def _instance(original: Any, self: Any, backend: RDSBackend, *args: Any, **settings: Any) -> None:
    original(self, backend, *args, **settings)
    # Moto gives every instance the same id, and a client that looks one up by it finds them all.
    self.dbi_resource_id = _resource_id()
    self.performance_insights_enabled = False
    _set_performance_insights(self, settings)


@wrap(RDSBackend, "modify_db_instance")
def _modify(
    original: Any, self: RDSBackend, db_instance_identifier: str, db_kwargs: dict[str, Any]
) -> DBInstance:
    instance: DBInstance = original(self, db_instance_identifier, db_kwargs)
    _set_performance_insights(instance, db_kwargs)
    return instance


@wrap(RDSBackend, "create_db_instance_read_replica")
def _replica(original: Any, self: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
    replica: Any = original(self, db_kwargs)
    # Moto's replica is a copy of its source; what RDS does not take over comes from the request.
    replica.dbi_resource_id = _resource_id()
    replica.multi_az = bool(db_kwargs.get("multi_az"))
    replica.deletion_protection = bool(db_kwargs.get("deletion_protection"))
    replica.copy_tags_to_snapshot = bool(db_kwargs.get("copy_tags_to_snapshot"))
    replica.enabled_cloudwatch_logs_exports = list(db_kwargs.get("enable_cloudwatch_logs_exports") or [])
    replica.monitoring_interval = db_kwargs.get("monitoring_interval") or 0
    replica.monitoring_role_arn = db_kwargs.get("monitoring_role_arn")
    replica.backup_retention_period = db_kwargs.get("backup_retention_period") or 0
    replica.max_allocated_storage = db_kwargs.get("max_allocated_storage") or replica.allocated_storage
    replica.tags = db_kwargs.get("tags") or []
    replica.performance_insights_enabled = False
    _set_performance_insights(replica, db_kwargs)
    return replica  # type: ignore[no-any-return]


@wrap(DBParameterGroup, "update_parameters")
def _parameters(original: Any, self: DBParameterGroup, new_parameters: Any) -> None:
    # Whoever reads a group back asks for what a user set; without the source that is nothing.
    original(self, [{**parameter, "Source": "user", "IsModifiable": True} for parameter in new_parameters])


def _resource_id() -> str:
    return "db-" + "".join(mock_random.choice(_ID_LETTERS) for _ in range(26))


def _set_performance_insights(instance: Any, settings: Any) -> None:
    wanted = settings.get("enable_performance_insights")
    if wanted is not None:
        instance.performance_insights_enabled = bool(wanted)
        days = int(settings.get("performance_insights_retention_period") or 7)
        instance.performance_insights_retention_period = days if wanted else None
    key = settings.get("performance_insights_kms_key_id")
    if key:
        instance.performance_insights_kms_key_id = key
