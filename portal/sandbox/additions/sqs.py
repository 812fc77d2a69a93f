"""SQS: redrive policies as AWS writes them, RedriveAllowPolicy, a policy that survives other changes."""

import json
from typing import Any

from moto.sqs.models import Queue, SQSBackend

from portal.sandbox.patching import wrap

_LONGEST_POLL = 1  # seconds

Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]
# Queues restored from an older snapshot, and those made without the attribute, have none of their own.
Queue.redrive_allow_policy = None  # type: ignore[attr-defined]

_moto_attributes = Queue.attributes.fget  # type: ignore[attr-defined]


def _attributes(self: Queue) -> dict[str, Any]:
    attributes: dict[str, Any] = _moto_attributes(self)
    if not attributes.get("RedriveAllowPolicy"):
        attributes.pop("RedriveAllowPolicy", None)
    if self.redrive_policy:
        # AWS answers without blanks; with them Terraform sees a difference for ever.
        attributes["RedrivePolicy"] = json.dumps(self.redrive_policy, separators=(",", ":"))
    return attributes


Queue.attributes = property(_attributes)  # type: ignore[method-assign, assignment]


@wrap(SQSBackend, "receive_message")
def _receive(
    original: Any, self: SQSBackend, queue_name: str, count: int, wait_seconds_timeout: int, *rest: Any
) -> Any:
    # A snapshot waits for the requests in flight: a long poll of 20 seconds would hold it, and with it
    # every other caller, back. An empty answer after a second is right too; who polls, polls again.
    return original(self, queue_name, count, min(wait_seconds_timeout, _LONGEST_POLL), *rest)


@wrap(Queue, "_set_attributes")
def _set(original: Any, self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
    policy = getattr(self, "policy", None)
    original(self, attributes, now)
    if "Policy" not in attributes:
        self.policy = policy
