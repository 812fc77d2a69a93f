"""Reads over people and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import UserManager
from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from portal.accounts.models import ApiToken, User  # noqa: F401 - named by a string in a base class


class UserQuerySet(QuerySet["User"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def portal_admins(self) -> Self:
        return self.active().filter(is_portal_admin=True)

    def matching(self, text: str) -> Self:
        """People whose sign-in name, display name or e-mail contains every word of `text`."""
        found = self
        for word in text.split():
            found = found.filter(
                Q(username__icontains=word) | Q(display_name__icontains=word) | Q(email__icontains=word)
            )
        return found


class PeopleManager(UserManager["User"]):
    """Sign-in names differ by more than capitals: phones like to start a name with one."""

    use_in_migrations = False

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def active(self) -> UserQuerySet:
        return self.get_queryset().active()

    def portal_admins(self) -> UserQuerySet:
        return self.get_queryset().portal_admins()

    def matching(self, text: str) -> UserQuerySet:
        return self.get_queryset().matching(text)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username__iexact=username)

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra_fields: object
    ) -> User:
        extra_fields.setdefault("is_portal_admin", True)
        return super().create_superuser(username, email, password, **extra_fields)


class ApiTokenQuerySet(QuerySet["ApiToken"]):
    def of(self, user: User) -> Self:
        return self.filter(user=user)

    def live_rows(self, at: datetime) -> Self:
        """Neither revoked nor expired, whatever became of the owner."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=at)

    def live(self, at: datetime) -> Self:
        """Tokens that still open the door at the moment `at` (aware UTC)."""
        return self.live_rows(at).filter(user__is_active=True)
