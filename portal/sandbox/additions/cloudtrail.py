"""CloudTrail: looking up who changed what. Trails and event data stores are moto's own affair."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse

from portal.sandbox.patching import add
from portal.sandbox.trail import events_of

_MOST_RESULTS = 50
# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupAttribute.html
_ATTRIBUTES: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "EventId": lambda event, value: event["id"] == value,
    "EventName": lambda event, value: event["name"] == value,
    "EventSource": lambda event, value: event["source"] == value,
    "Username": lambda event, value: event["identity"]["name"] == value,
    "AccessKeyId": lambda event, value: event["access_key"] == value,
    "ResourceName": lambda event, value: value in event["resources"],
    # Only changing calls are kept.
    "ReadOnly": lambda event, value: value == "false",
}


@add(CloudTrailResponse)
def lookup_events(self: CloudTrailResponse) -> str:
    """The newest events first, narrowed by one attribute and by time, in pages of at most 50."""
    begin, end = self._get_param("StartTime"), self._get_param("EndTime")
    wanted = [
        (item["AttributeKey"], item["AttributeValue"]) for item in self._get_param("LookupAttributes") or []
    ]
    found = [
        event
        for event in reversed(events_of(self.current_account, self.region))
        if (begin is None or event["time"] >= float(begin))
        and (end is None or event["time"] <= float(end))
        and all(_ATTRIBUTES.get(key, _never)(event, value) for key, value in wanted)
    ]
    start = int(self._get_param("NextToken") or 0)
    stop = start + min(self._get_int_param("MaxResults") or _MOST_RESULTS, _MOST_RESULTS)
    answer: dict[str, Any] = {"Events": [_listed(event) for event in found[start:stop]]}
    if stop < len(found):
        answer["NextToken"] = str(stop)
    return json.dumps(answer)


def _never(event: dict[str, Any], value: str) -> bool:
    return False


def _listed(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "EventId": event["id"],
        "EventName": event["name"],
        "ReadOnly": "false",
        "AccessKeyId": event["access_key"],
        "EventTime": event["time"],
        "EventSource": event["source"],
        "Username": event["identity"]["name"],
        "Resources": [{"ResourceName": name} for name in event["resources"]],
        "CloudTrailEvent": json.dumps(_record(event)),
    }


def _record(event: dict[str, Any]) -> dict[str, Any]:
    """The record itself, in the fields that people look at."""
    identity = event["identity"]
    return {
        "eventVersion": "1.10",
        "userIdentity": {
            "type": identity["type"],
            "principalId": identity["principal"],
            "arn": identity["arn"],
            "accountId": event["account"],
            "accessKeyId": event["access_key"],
        },
        "eventTime": datetime.fromtimestamp(event["time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": event["source"],
        "eventName": event["name"],
        "awsRegion": event["region"],
        "sourceIPAddress": event["address"],
        "userAgent": event["agent"],
        # Absent from events that an older sandbox kept.
        "requestParameters": event.get("parameters"),
        "eventID": event["id"],
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": event["account"],
        "eventCategory": "Management",
    }
