"""What taking an extra away does, in words, and why it cannot be taken away by itself."""

from __future__ import annotations

from django.utils.translation import gettext as _

from environments.runs.models import LiveExtra


def deed(row: LiveExtra) -> str:
    """What “Remove” does, exactly."""
    detail = row.detail
    values = {**detail, "on": row.resource_id}
    match detail.get("what"):
        case "rule":
            return _("Revoke the rule %(rule_id)s of %(on)s. No other rule is touched.") % values
        case "managed_policy":
            return _("Detach %(arn)s from the %(principal)s %(on)s. The policy itself stays.") % values
        case "inline_policy":
            return _("Delete the inline policy %(name)s of the %(principal)s %(on)s.") % values
        case "bucket_policy":
            return _("Write the policy of %(on)s back without this one statement.") % values
        case "bucket_acl":
            return _("Write the access list of %(on)s back without this one entry.") % values
        case "block":
            return _("Turn %(switch)s of %(on)s on. The other switches stay.") % values
        case "database":
            return _("Make %(on)s private at once. Connections by its public address end.") % values
    return ""


def barrier(row: LiveExtra) -> str:
    """Why it cannot be taken away by itself; empty when it can."""
    if row.detail.get("altered"):
        return _("Terraform manages this rule as %(address)s and somebody altered it: revert its drift.") % {
            "address": row.detail["altered"]
        }
    return ""
