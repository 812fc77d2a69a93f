"""AWS Backup: selections, changed plans, tags as every client asks for them."""

import json
from typing import Any
from urllib.parse import unquote

from moto.backup.exceptions import ResourceNotFoundException
from moto.backup.models import Plan
from moto.backup.responses import BackupResponse
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random

from portal.sandbox.patching import add, store, wrap


def _selections(response: BackupResponse) -> dict[str, dict[str, Any]]:
    return store(response.backup_backend, "selections")


def _plan(response: BackupResponse) -> Plan:
    plan_id = response.path.split("/plans/")[1].split("/")[0]
    plan = response.backup_backend.plans.get(plan_id)
    if plan is None or plan.deletion_date is not None:
        raise ResourceNotFoundException(msg="Failed reading Backup plan with provided version")
    return plan


def _selection(response: BackupResponse) -> dict[str, Any]:
    selection_id = response.path.rstrip("/").rpartition("/")[2]
    selection = _selections(response).get(selection_id)
    if selection is None or selection["BackupPlanId"] not in response.path:
        raise ResourceNotFoundException(msg="Cannot find Backup selection")
    return selection


@add(BackupResponse)
def create_backup_selection(self: BackupResponse) -> str:
    """Say which resources a plan backs up."""
    asked = json.loads(self.body)
    selection = {
        "BackupPlanId": _plan(self).backup_plan_id,
        "SelectionId": str(mock_random.uuid4()),
        "CreationDate": unix_time(),
        "BackupSelection": asked["BackupSelection"],
    }
    if asked.get("CreatorRequestId"):
        selection["CreatorRequestId"] = asked["CreatorRequestId"]
    _selections(self)[selection["SelectionId"]] = selection
    return json.dumps({key: selection[key] for key in ("SelectionId", "BackupPlanId", "CreationDate")})


@add(BackupResponse)
def get_backup_selection(self: BackupResponse) -> str:
    """One selection of a plan."""
    return json.dumps(_selection(self))


@add(BackupResponse)
def list_backup_selections(self: BackupResponse) -> str:
    """All selections of a plan, without what they select."""
    plan_id = _plan(self).backup_plan_id
    found = [selection for selection in _selections(self).values() if selection["BackupPlanId"] == plan_id]
    return json.dumps({"BackupSelectionsList": [_summary(selection) for selection in found]})


@add(BackupResponse)
def delete_backup_selection(self: BackupResponse) -> str:
    """Remove a selection."""
    _selections(self).pop(_selection(self)["SelectionId"])
    return "{}"


@add(BackupResponse)
def update_backup_plan(self: BackupResponse) -> str:
    """Replace a plan's rules; its id and ARN stay, its version changes."""
    plan = _plan(self)
    replacement = Plan(
        backup_plan=json.loads(self.body)["BackupPlan"],
        creator_request_id=plan.creator_request_id,
        backend=self.backup_backend,
    )
    plan.backup_plan = replacement.backup_plan
    plan.advanced_backup_settings = replacement.advanced_backup_settings
    plan.version_id = replacement.version_id
    return json.dumps(plan.to_dict())


@wrap(BackupResponse, "list_tags")
def _list_tags(original: Any, self: BackupResponse) -> str:
    # Moto counts path segments from the end, which is right only for clients that send a trailing slash.
    arn = unquote(self.path.split("/tags/", 1)[1].rstrip("/"))
    return json.dumps({"Tags": self.backup_backend.list_tags(resource_arn=arn)})


def _summary(selection: dict[str, Any]) -> dict[str, Any]:
    content = selection["BackupSelection"]
    return {key: selection[key] for key in ("SelectionId", "BackupPlanId", "CreationDate")} | {
        "SelectionName": content["SelectionName"],
        "IamRoleArn": content.get("IamRoleArn"),
    }
