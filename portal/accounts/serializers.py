"""Shapes of people and tokens in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from portal.accounts.actions.tokens import DEFAULT_DAYS, MAX_DAYS
from portal.accounts.models import PERSONAL_SCOPES, ApiToken, User


class UserSerializer(serializers.ModelSerializer[User]):
    name = serializers.CharField(source="__str__", read_only=True, help_text="How pages call the person.")

    class Meta:
        model = User
        fields = ("username", "name", "display_name", "email", "is_active", "is_portal_admin", "time_zone")
        read_only_fields = fields


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ApiToken
        fields: tuple[str, ...] = (
            "prefix",
            "name",
            "scopes",
            "environment_id",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        )
        read_only_fields = fields


class NewTokenSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=DEFAULT_DAYS)
    scopes = serializers.MultipleChoiceField(
        choices=PERSONAL_SCOPES, default=set(PERSONAL_SCOPES), allow_empty=False
    )


class ShownTokenSerializer(TokenSerializer):
    """A token just made: the only answer that holds its text."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token")
        read_only_fields = fields
