"""What a removal calls, with its parameters: what people approve, and the one call that does it."""

from __future__ import annotations

from typing import Any, Final

from environments.runs.live.found import Extra
from portal.aws import ec2, iam, rds, s3_exposure
from portal.aws.sessions import AccountAccess

# What of an extra's detail says exactly what is taken away.
EXACT: Final = ("what", "region", "rule_id", "egress", "principal", "name", "arn", "switch", "statement")
GRANT: Final = ("grantee", "permission")


def steps_of(extra: Extra) -> dict[str, Any]:
    """What would be called, with its parameters: what people approve."""
    detail = extra.detail
    exact = {name: detail[name] for name in (*EXACT, *GRANT) if name in detail}
    return {**exact, "resource": extra.resource_id, "key": extra.key}


def take_away(access: AccountAccess, extra: Extra) -> bool:
    """The one call; False when it was not there any more. Raises AwsError."""
    detail, name = extra.detail, extra.resource_id
    match detail["what"]:
        case "rule":
            return ec2.revoke_rule(access, name, detail["rule_id"], egress=detail["egress"])
        case "managed_policy" | "inline_policy":
            return iam.take_off(access, detail["principal"], name, iam.Carried(detail["name"], detail["arn"]))
        case "bucket_policy":
            return s3_exposure.remove_statement(access, name, detail["statement"])
        case "bucket_acl":
            return s3_exposure.remove_grant(access, name, detail["grantee"], detail["permission"])
        case "block":
            s3_exposure.switch_block_on(access, name, [detail["switch"]])
        case "database":
            rds.make_private(access, name)
    return True
