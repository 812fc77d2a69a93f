"""CloudTrail: who did what to a resource, in the 90 days that it keeps without a trail."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from portal.aws.sessions import AccountAccess, pages

# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html: 50 a page, 2 calls a second.
MOST_PAGES: Final = 6


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """One management event. `who` is short ("role/session", a user's name, "root"), `arn` the whole of it."""

    name: str
    at: datetime
    who: str
    arn: str
    address: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    answered: Mapping[str, Any] = field(default_factory=dict)


def events_about(access: AccountAccess, resource: str, names: frozenset[str]) -> Iterator[TrailEvent]:
    """Events of these names about a resource, the newest first; gives up after a few hundred. Raises AwsError."""
    wanted = [{"AttributeKey": "ResourceName", "AttributeValue": resource}]
    for number, page in enumerate(pages(access, "cloudtrail", "lookup_events", LookupAttributes=wanted)):
        for row in page.get("Events", []):
            if row.get("EventName") in names:
                yield _event(row)
        if number + 1 >= MOST_PAGES:
            return


def _event(row: Mapping[str, Any]) -> TrailEvent:
    try:
        record = json.loads(row.get("CloudTrailEvent") or "{}")
    except ValueError:
        record = {}
    identity = record.get("userIdentity") or {}
    arn = str(identity.get("arn") or "")
    return TrailEvent(
        name=str(row["EventName"]),
        at=row["EventTime"],
        who=_who(identity, arn) or str(row.get("Username") or ""),
        arn=arn,
        address=str(record.get("sourceIPAddress") or ""),
        asked=_mapping(record.get("requestParameters")),
        answered=_mapping(record.get("responseElements")),
    )


def _who(identity: Mapping[str, Any], arn: str) -> str:
    if identity.get("type") == "Root":
        return "root"
    for mark in (":assumed-role/", ":user/", ":federated-user/"):
        if mark in arn:
            return arn.partition(mark)[2]
    return str(identity.get("userName") or identity.get("invokedBy") or "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
