"""Shapes of the state room in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from environments.runs.models import StateLock
from environments.runs.reasons import LONGEST_REASON
from environments.runs.serializers import AttributeShape
from environments.runs.states.token_actions import MOST_HOURS


class StateReasonShape(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=LONGEST_REASON)


class StateImportShape(StateReasonShape):
    file = serializers.FileField(
        required=False, allow_empty_file=True, help_text="The state itself (multipart); or give `s3`."
    )
    s3 = serializers.CharField(required=False, max_length=1200, help_text="s3://bucket/key")
    confirm_name = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        help_text="The environment's id, to replace a state of another lineage.",
    )


class DifferenceShape(serializers.Serializer[Any]):
    address = serializers.CharField()
    type = serializers.CharField()
    kind = serializers.CharField(help_text="added, removed, changed or moved")
    moved_from = serializers.CharField(help_text="The address until then.")
    deposed = serializers.CharField(help_text="Key of an object that a replacement left behind.")
    tainted_now = serializers.BooleanField(help_text="The next plan replaces it.")
    attributes = AttributeShape(many=True)


class ComparisonShape(serializers.Serializer[Any]):
    same_lineage = serializers.BooleanField()
    counts = serializers.DictField(child=serializers.IntegerField())
    outputs = AttributeShape(many=True, help_text="`path` is the output's name.")
    total = serializers.IntegerField(help_text="Rows that the filter leaves.")
    results = DifferenceShape(many=True)
    next = serializers.CharField(allow_null=True, help_text="Ask again with after= this.")


class LockShape(serializers.Serializer[StateLock]):
    holder = serializers.CharField()
    reason = serializers.CharField()
    by_hand = serializers.SerializerMethodField()
    change = serializers.UUIDField(source="change.uuid", allow_null=True, default=None)
    created_at = serializers.DateTimeField()

    def get_by_hand(self, lock: StateLock) -> bool:
        return lock.held_by_id is not None


class HeldShape(serializers.Serializer[Any]):
    lock = LockShape(allow_null=True)


class NewStateTokenShape(StateReasonShape):
    person = serializers.CharField(max_length=150, help_text="Username of an operator or admin.")
    hours = serializers.IntegerField(min_value=1, max_value=MOST_HOURS)
