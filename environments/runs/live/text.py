"""Extras in words: what it is, why it matters, who is unknown. Made when shown, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from environments.runs.live.risk import CRITICAL, HIGH, REASONS
from environments.runs.live.trail import TELLS_NOTHING
from environments.runs.models import LiveExtra


def title(row: LiveExtra) -> str:
    """“TCP 5432 from 0.0.0.0/0 into sg-1 (triflow-db)”."""
    detail = row.detail
    name = f" ({detail['group_name']})" if detail.get("group_name") else ""
    values: dict[str, Any] = {**detail, "on": f"{row.resource_id}{name}"}
    match detail.get("what"):
        case "rule" if detail["egress"]:
            return _("%(ports)s to %(source)s out of %(on)s") % values
        case "rule":
            return _("%(ports)s from %(source)s into %(on)s") % values
        case "managed_policy":
            return _("%(name)s attached to the %(principal)s %(on)s") % values
        case "inline_policy":
            return _("Inline policy %(name)s on the %(principal)s %(on)s") % values
        case "bucket_policy":
            return _("Statement “%(sid)s” in the policy of %(on)s") % {
                **values,
                "sid": detail["statement"].get("Sid") or _("without a name"),
            }
        case "bucket_acl":
            return _("%(who)s: %(permission)s in the access list of %(on)s") % {
                **values,
                "who": detail["grantee"].rpartition("/")[2],
            }
        case "block":
            return _("%(switch)s is off at %(on)s") % values
        case "database":
            return _("%(on)s has a public address") % values
    return row.key


def why(row: LiveExtra) -> str:
    reason = REASONS.get(str(row.detail.get("reason")))
    return _(reason[1]) if reason else ""


def level(row: LiveExtra) -> str:
    """The risk as one of the words of state."""
    return "failing" if row.risk >= CRITICAL else "attention" if row.risk >= HIGH else "unknown"


def level_word(row: LiveExtra) -> str:
    if row.risk >= CRITICAL:
        return _("High risk")
    return _("Risk") if row.risk >= HIGH else _("Lower risk")


def unknown_why(row: LiveExtra) -> str:
    """Why nobody is named; empty when somebody is."""
    if row.added_by:
        return ""
    told = str(row.detail.get("unknown") or "")
    if told and told != TELLS_NOTHING:
        return _("CloudTrail could not be asked: %(why)s") % {"why": told}
    if told:
        return _(
            "CloudTrail tells of nobody; it keeps 90 days, and calls made in the last minutes come late."
        )
    return _("CloudTrail has not been asked yet; the next look does.")
