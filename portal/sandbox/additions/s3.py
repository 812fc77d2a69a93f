"""S3: bucket policies with conditions, replication rules as they were given."""

from typing import Any

from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.responses import S3Response

from portal.sandbox.patching import wrap


@wrap(IAMPolicyStatement, "is_action_permitted")
def _is_permitted(
    original: Any,
    self: IAMPolicyStatement,
    action: str,
    resource: str = "*",
    principal: str | None = None,
    incoming_condition_values: dict[str, str] | None = None,
) -> PermissionResult:
    statement = self._statement
    # Moto cannot tell whether a condition such as "not over TLS" holds, and denies everything then.
    # A conditional Deny is not enforced here: the sandbox is looser than AWS in this.
    if statement.get("Effect") == "Deny" and statement.get("Condition") and not incoming_condition_values:
        return PermissionResult.NEUTRAL
    permitted: PermissionResult = original(self, action, resource, principal, incoming_condition_values)
    return permitted


@wrap(S3Response, "get_bucket_replication")
def _get_replication(original: Any, self: S3Response) -> Any:
    replication = self.backend.get_bucket_replication(self.bucket_name)
    if not replication:
        return original(self)
    self.data["Action"] = "GetBucketReplication"
    rules = [_replication_rule(rule) for rule in replication["Rule"]]
    configuration = {"Role": replication["Role"], "Rules": rules}
    return self.serialized(ActionResult({"ReplicationConfiguration": configuration}))


def _replication_rule(stored: dict[str, Any]) -> dict[str, Any]:
    rule = {key: value for key, value in stored.items() if value is not None}
    rule["Priority"] = int(rule.get("Priority") or 0)
    rule.setdefault("DeleteMarkerReplication", {"Status": "Disabled"})
    condition = rule.get("Filter") or {}
    if "And" not in condition and "Tag" not in condition:
        rule["Filter"] = {"Prefix": condition.get("Prefix") or ""}
    return rule
