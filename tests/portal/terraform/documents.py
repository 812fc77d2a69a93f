"""Plan and state documents as Terraform writes them, built from what a test cares about."""

from __future__ import annotations

import json
from typing import Any


def change(
    address: str, actions: list[str], before: Any = None, after: Any = None, **more: Any
) -> dict[str, Any]:
    """One entry of resource_changes.

    `unknown`, the sensitive marks, `replace_paths` and `importing` go into its change, all else beside it.
    """
    inner = {
        "actions": actions,
        "before": before,
        "after": after,
        "after_unknown": more.pop("unknown", {}),
        "before_sensitive": more.pop("before_sensitive", {}),
        "after_sensitive": more.pop("after_sensitive", {}),
    }
    for name in ("replace_paths", "importing"):
        if name in more:
            inner[name] = more.pop(name)
    local = address.split("[")[0]
    mode = "data" if "data." in local else "managed"
    kind, name = local.split(".")[-2:]
    return {
        "address": address,
        "mode": mode,
        "type": kind,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": inner,
        **more,
    }


def plan(*changes: dict[str, Any], **more: Any) -> bytes:
    document = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": {}},
        "resource_changes": list(changes),
        **more,
    }
    return json.dumps(document).encode()


def instance(attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"schema_version": 0, "attributes": attributes, "sensitive_attributes": [], **more}


def resource(kind: str, name: str, *instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
        "instances": list(instances),
        **more,
    }


def state(*resources: dict[str, Any], serial: int = 3, **more: Any) -> bytes:
    document = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": serial,
        "lineage": "5e1b8a9e-0000-0000-0000-000000000000",
        "outputs": {},
        "resources": list(resources),
        **more,
    }
    return json.dumps(document).encode()
