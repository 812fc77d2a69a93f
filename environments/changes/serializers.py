"""What the API says of a change. Plain shapes for the OpenAPI document; `shown` fills them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from environments.changes import reviews, waiting
from environments.changes.abilities import abilities, barred_voters
from environments.changes.gates import evaluate
from environments.changes.kinds import kind_of
from environments.changes.models import Change, Review, Vote
from portal.accounts.models import User

Plain = dict[str, Any]


class GateShape(serializers.Serializer[Change]):
    name = serializers.CharField()
    needed = serializers.IntegerField(help_text="Votes it takes.")
    votes = serializers.ListField(
        child=serializers.CharField(), help_text="User names whose votes count now."
    )
    roles = serializers.ListField(child=serializers.CharField())
    passed = serializers.BooleanField()


class AbilityShape(serializers.Serializer[Change]):
    allowed = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why not; empty when allowed.")


class WaitingShape(serializers.Serializer[Change]):
    text = serializers.CharField()
    change = serializers.UUIDField(allow_null=True, help_text="The change in front, if one is.")
    place = serializers.IntegerField(help_text="1 = next; 0 when no queue is meant.")
    until = serializers.DateTimeField(allow_null=True)
    estimate = serializers.CharField(
        help_text="How long it may take, in words; says so when it is not known."
    )
    estimate_seconds = serializers.IntegerField(allow_null=True, help_text="Null: not known.")


class ErrorShape(serializers.Serializer[Change]):
    kind = serializers.CharField(help_text="tool: Terraform or AWS said no; portal: we could not run it.")
    message = serializers.CharField()
    hint = serializers.CharField()


@extend_schema_field({"type": "object", "additionalProperties": True})
class DetailsField(serializers.JSONField):
    """What the kind of change adds."""


class ChangeRowShape(serializers.Serializer[Change]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    environment = serializers.CharField(help_text='"tenant-slug.environment-slug"')
    tenant = serializers.CharField()
    status = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    digest = serializers.CharField(help_text="Of the current proposal; what an approval must name.")
    requested_by = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    break_glass = serializers.BooleanField(help_text="Started, or to be started, without votes.")
    url = serializers.CharField(help_text="The page.")


class ReviewOwedShape(serializers.Serializer[Change]):
    due_at = serializers.DateTimeField(help_text="Two working days after the start.")
    reviewed_by = serializers.CharField(help_text="Empty while it is owed.")
    reviewed_at = serializers.DateTimeField(allow_null=True)
    verdict = serializers.CharField()
    comment = serializers.CharField()


class EmergencyShape(serializers.Serializer[Change]):
    by = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField()
    review = ReviewOwedShape(allow_null=True, help_text="Null until it has started.")


class DebtShape(serializers.Serializer[Change]):
    change = serializers.UUIDField(help_text="Started without votes and not reviewed in time.")
    title = serializers.CharField()
    due_at = serializers.DateTimeField()


class ChangeShape(ChangeRowShape):
    ticket = serializers.CharField()
    links = serializers.JSONField()
    start = serializers.CharField()
    start_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    gates = GateShape(many=True)
    actions = serializers.DictField(child=AbilityShape(), help_text="can_approve, can_cancel, ... for you.")
    waiting_for = WaitingShape(allow_null=True)
    error = ErrorShape(allow_null=True)
    emergency = EmergencyShape(allow_null=True, help_text="Who started it without votes, and why.")
    debt = DebtShape(allow_null=True, help_text="The overdue review that its start waits for.")
    proposal = serializers.IntegerField(allow_null=True, help_text="Number of the current proposal.")
    retry_of = serializers.UUIDField(allow_null=True, help_text="The change that this one tries again.")
    carried_votes = serializers.ListField(
        child=serializers.CharField(), help_text="User names whose votes on that change count here."
    )
    details = DetailsField()


class ChangePageShape(serializers.Serializer[Change]):
    results = ChangeRowShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class LogShape(serializers.Serializer[Change]):
    offset = serializers.IntegerField(help_text="Byte offset of the first byte of `text`.")
    first_line = serializers.IntegerField()
    text = serializers.CharField()
    next = serializers.IntegerField(help_text="Where to go on: the next `after`.")
    size = serializers.IntegerField()
    complete = serializers.BooleanField(help_text="Nothing will follow.")


class ApproveShape(serializers.Serializer[Change]):
    digest = serializers.CharField(help_text="Of the proposal that was read.")
    comment = serializers.CharField(required=False, allow_blank=True, max_length=4000)


class RejectShape(serializers.Serializer[Change]):
    comment = serializers.CharField(max_length=4000)


class ReasonShape(serializers.Serializer[Change]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=4000)


class BreakGlassShape(serializers.Serializer[Change]):
    digest = serializers.CharField(help_text="Of the proposal that was read.")
    reason = serializers.CharField(max_length=4000)
    confirm_name = serializers.CharField(
        required=False, allow_blank=True, help_text="On production: the environment's id, typed."
    )


class ReviewShape(serializers.Serializer[Change]):
    verdict = serializers.ChoiceField(choices=Review.Verdict.choices)
    comment = serializers.CharField(max_length=4000)


class QuestionShape(serializers.Serializer[Change]):
    text = serializers.CharField(max_length=4000)


class PolicyShape(serializers.Serializer[Change]):
    number = serializers.IntegerField(read_only=True)
    gates = serializers.JSONField(
        help_text="[{name, roles, votes, when}]; when: always, destroys, touches_iam, touches_network (true),"
        " and lists kinds, modes, except_modes. See the policy page."
    )
    reason = serializers.CharField(required=False, write_only=True, allow_blank=True, max_length=2000)


def row(change: Change) -> Plain:
    """A change in a list: one query for all of them."""
    return {
        "id": change.uuid,
        "kind": change.kind,
        "environment": change.environment.key,
        "tenant": change.environment.tenant.slug,
        "status": change.status,
        "title": change.title,
        "summary": change.summary,
        "digest": change.proposal.digest if change.proposal else "",
        "requested_by": change.requested_by.username if change.requested_by else change.requested_by_name,
        "reason": change.reason,
        "created_at": change.created_at,
        "finished_at": change.finished_at,
        "break_glass": change.break_glass,
        "url": f"/changes/{change.uuid}/",
    }


def _emergency(change: Change) -> Plain | None:
    by = change.break_glass_by
    if not change.break_glass or by is None:
        return None
    owed = Review.objects.filter(change=change).select_related("reviewed_by").first()
    return {
        "by": by.username,
        "at": change.break_glass_at,
        "reason": change.break_glass_reason,
        "review": {
            "due_at": owed.due_at,
            "reviewed_by": owed.reviewed_by.username if owed.reviewed_by else "",
            "reviewed_at": owed.reviewed_at,
            "verdict": owed.verdict,
            "comment": owed.comment,
        }
        if owed
        else None,
    }


def _debt(change: Change) -> Plain | None:
    debt = reviews.stopping(change) if change.is_open else None
    if debt is None:
        return None
    return {"change": debt.change.uuid, "title": debt.change.title, "due_at": debt.due_at}


def _carried(change: Change) -> list[str]:
    votes = Vote.objects.counting_for(change).filter(carried_from__isnull=False)
    return list(votes.values_list("user__username", flat=True))


def shown(change: Change, user: User) -> Plain:
    """One change whole, with what this person may do."""
    told = waiting.told(change)
    failed = bool(change.error_message)
    return {
        **row(change),
        "ticket": change.ticket,
        "links": change.links,
        "start": change.start,
        "start_at": change.start_at,
        "expires_at": change.expires_at,
        "gates": [
            {
                "name": state.gate.name,
                "needed": state.gate.votes,
                "votes": [vote.user.username for vote in state.votes],
                "roles": list(state.gate.roles),
                "passed": state.passed,
            }
            for state in evaluate(change, barred=barred_voters(change))
        ],
        "actions": {
            name: {"allowed": ability.allowed, "reason": ability.reason}
            for name, ability in abilities(change, user).items()
        },
        "waiting_for": {
            "text": told.text,
            "change": told.change.uuid if told.change else None,
            "place": told.place,
            "until": told.until,
            "estimate": told.estimate,
            "estimate_seconds": told.seconds,
        }
        if told
        else None,
        "error": {"kind": change.error_kind, "message": change.error_message, "hint": change.error_hint}
        if failed
        else None,
        "emergency": _emergency(change),
        "debt": _debt(change),
        "proposal": change.proposal.number if change.proposal else None,
        "retry_of": change.retry_of.uuid if change.retry_of else None,
        "carried_votes": _carried(change) if change.retry_of_id else [],
        "details": kind_of(change).details(change),
    }
