"""Cost Explorer: cost allocation tags."""

import json

from moto.ce.responses import CostExplorerResponse

from portal.sandbox.patching import add, store


@add(CostExplorerResponse)
def list_cost_allocation_tags(self: CostExplorerResponse) -> str:
    """The tags that costs are, or are not, broken down by."""
    keys, status, kind = (self._get_param(name) for name in ("TagKeys", "Status", "Type"))
    tags = [
        {"TagKey": key, "Type": "UserDefined", "Status": value}
        for key, value in store(self.ce_backend, "cost_allocation_tags").items()
        if (not keys or key in keys) and status in {None, value} and kind in {None, "UserDefined"}
    ]
    return json.dumps({"CostAllocationTags": tags})


@add(CostExplorerResponse)
def update_cost_allocation_tags_status(self: CostExplorerResponse) -> str:
    """Turn cost allocation tags on or off."""
    for change in self._get_param("CostAllocationTagsStatus"):
        store(self.ce_backend, "cost_allocation_tags")[change["TagKey"]] = change["Status"]
    return json.dumps({"Errors": []})
