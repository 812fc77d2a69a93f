"""ElastiCache: parameter groups, which moto does not have at all."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.exceptions import ElastiCacheException
from moto.elasticache.responses import ElastiCacheResponse
from moto.utilities.utils import get_partition

from portal.sandbox.patching import add, store


class CacheParameterGroupNotFound(ElastiCacheException):
    """There is no parameter group of that name."""

    code = "CacheParameterGroupNotFound"

    def __init__(self, name: str) -> None:
        super().__init__(f"CacheParameterGroup not found: {name}")


class CacheParameterGroupAlreadyExists(ElastiCacheException):
    """There is a parameter group of that name."""

    code = "CacheParameterGroupAlreadyExists"

    def __init__(self, name: str) -> None:
        super().__init__(f"Parameter group {name} already exists")


def _groups(response: ElastiCacheResponse) -> dict[str, dict[str, Any]]:
    return store(response.elasticache_backend, "parameter_groups")


def _group(response: ElastiCacheResponse) -> dict[str, Any]:
    name = response._get_param("CacheParameterGroupName")
    group = _groups(response).get(name)
    if group is None:
        raise CacheParameterGroupNotFound(name)
    return group


@add(ElastiCacheResponse)
def create_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
    """Make an empty parameter group."""
    backend = self.elasticache_backend
    name = self._get_param("CacheParameterGroupName")
    if name in _groups(self):
        raise CacheParameterGroupAlreadyExists(name)
    place = f"{backend.region_name}:{backend.account_id}"
    description = {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": self._get_param("CacheParameterGroupFamily"),
        "Description": self._get_param("Description"),
        "IsGlobal": False,
        "ARN": f"arn:{get_partition(backend.region_name)}:elasticache:{place}:parametergroup:{name}",
    }
    _groups(self)[name] = {"description": description, "parameters": {}}
    backend.tagging_service.tag_resource(description["ARN"], self._get_param("Tags") or [])
    return ActionResult({"CacheParameterGroup": description})


@add(ElastiCacheResponse)
def describe_cache_parameter_groups(self: ElastiCacheResponse) -> ActionResult:
    """One parameter group, or all."""
    one = self._get_param("CacheParameterGroupName")
    found = [_group(self)] if one else list(_groups(self).values())
    return ActionResult({"CacheParameterGroups": [group["description"] for group in found]})


@add(ElastiCacheResponse)
def describe_cache_parameters(self: ElastiCacheResponse) -> ActionResult:
    """The parameters that were set; the engine's own defaults are not listed."""
    parameters = [
        {
            "ParameterName": name,
            "ParameterValue": value,
            "Source": "user",
            "DataType": "string",
            "IsModifiable": True,
        }
        for name, value in _group(self)["parameters"].items()
    ]
    return ActionResult({"Parameters": parameters})


@add(ElastiCacheResponse)
def modify_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
    """Set parameters."""
    group = _group(self)
    for parameter in self._get_param("ParameterNameValues") or []:
        group["parameters"][parameter["ParameterName"]] = parameter["ParameterValue"]
    return _named(group)


@add(ElastiCacheResponse)
def reset_cache_parameter_group(self: ElastiCacheResponse) -> ActionResult:
    """Take parameters back to the engine's defaults."""
    group = _group(self)
    if self._get_bool_param("ResetAllParameters"):
        group["parameters"].clear()
    for parameter in self._get_param("ParameterNameValues") or []:
        group["parameters"].pop(parameter["ParameterName"], None)
    return _named(group)


@add(ElastiCacheResponse)
def delete_cache_parameter_group(self: ElastiCacheResponse) -> EmptyResult:
    """Remove a parameter group."""
    name = _named(_group(self)).result["CacheParameterGroupName"]  # type: ignore[index]
    _groups(self).pop(name)
    return EmptyResult()


def _named(group: dict[str, Any]) -> ActionResult:
    return ActionResult({"CacheParameterGroupName": group["description"]["CacheParameterGroupName"]})
