"""Managing people: portal administrators take in, alter and let go."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.accounts.actions.sessions import end_sessions, set_password
from portal.accounts.hooks import hooks
from portal.accounts.models import ApiToken, User
from portal.accounts.permissions import person_target, refuse, require_portal_admin
from portal.accounts.principals import Principal
from portal.audit import Target, record
from portal.core.clock import now
from portal.core.errors import Conflict, InvalidInput, NotAllowed

SHOWN_FIELDS = ("display_name", "email", "time_zone", "is_portal_admin", "is_active")
# Without characters that are mistaken for one another when read aloud.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def temporary_password() -> str:
    """Twenty characters in groups of five, good for reading out; the person replaces it at first sign-in."""
    return "-".join("".join(secrets.choice(ALPHABET) for _i in range(5)) for _j in range(4))


def create_person(
    *,
    by: Principal,
    username: str,
    password: str,
    display_name: str = "",
    email: str = "",
    time_zone: str = "",
    is_portal_admin: bool = False,
    must_change_password: bool = True,
) -> User:
    """Takes a person in. Raises InvalidInput field by field, NotAllowed."""
    require_portal_admin(by, "person.create", Target("person", username, display_name or username))
    person = User(
        username=User.normalize_username(username.strip()),
        display_name=display_name.strip(),
        email=User.objects.normalize_email(email.strip()),
        time_zone=time_zone,
        is_portal_admin=is_portal_admin,
        must_change_password=must_change_password,
    )
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise InvalidInput({"password": error.messages}) from None
    person.set_password(password)
    _check(person)
    with transaction.atomic():
        person.save()
        record(actor=by.actor(), action="person.create", target=person_target(person), after=_facts(person))
    return person


def update_person(
    *, by: Principal, person: User, display_name: str, email: str, time_zone: str, is_portal_admin: bool
) -> User:
    """Alters what is known of a person. Raises InvalidInput, Conflict (last portal admin), NotAllowed."""
    target = person_target(person)
    require_portal_admin(by, "person.update", target)
    changes: dict[str, Any] = {
        "display_name": display_name.strip(),
        "email": email.strip(),
        "time_zone": time_zone,
        "is_portal_admin": is_portal_admin,
    }
    try:
        return _apply(by, person, "person.update", changes)
    except Conflict as error:
        raise refuse(by, "person.update", target, error) from None


def update_profile(*, by: Principal, display_name: str, time_zone: str) -> User:
    """One's own name and time zone. Raises InvalidInput."""
    if by.user is None or by.kind != "user":
        raise NotAllowed(_("A profile is changed on its page, by the person who signed in."))
    changes = {"display_name": display_name.strip(), "time_zone": time_zone}
    return _apply(by, by.user, "person.update", changes)


def reset_password(*, by: Principal, person: User) -> str:
    """A temporary password, to be shown once; all their sessions end. Raises NotAllowed, Conflict."""
    target = person_target(person)
    require_portal_admin(by, "person.reset_password", target)
    if by.user is not None and by.user.pk == person.pk:
        message = _("Change your own password on its page: it asks for the present one.")
        raise refuse(by, "person.reset_password", target, Conflict(message))
    plain = temporary_password()
    with transaction.atomic():
        set_password(person, plain, must_change=True)
        record(actor=by.actor(), action="person.reset_password", target=target)
    return plain


def deactivate_person(*, by: Principal, person: User) -> User:
    """Lets a person go: sessions and tokens end at once, and what rooms add (open votes).

    Raises NotAllowed, Conflict (the last portal administrator, or gone already).
    """
    target = person_target(person)
    require_portal_admin(by, "person.deactivate", target)
    try:
        with transaction.atomic():
            held = _locked(person)
            if not held.is_active:
                raise Conflict(_("%(name)s is deactivated already.") % {"name": held})
            _keep_one_admin(held, stays_admin=False)
            at = now()
            held.is_active, held.left_at = False, at
            held.save(update_fields=["is_active", "left_at"])
            end_sessions(held)
            ended = ApiToken.objects.of(held).live_rows(at).update(revoked_at=at)
            for departed in hooks.on_departure:
                departed(by, held)
            after = {"is_active": False, "tokens_ended": ended}
            record(
                actor=by.actor(),
                action="person.deactivate",
                target=target,
                before={"is_active": True},
                after=after,
            )
    except Conflict as error:
        raise refuse(by, "person.deactivate", target, error) from None
    return held


def reactivate_person(*, by: Principal, person: User) -> User:
    """Lets a person back in, with the old password; ended tokens and sessions stay ended."""
    target = person_target(person)
    require_portal_admin(by, "person.reactivate", target)
    try:
        with transaction.atomic():
            held = _locked(person)
            if held.is_active:
                raise Conflict(_("%(name)s is active already.") % {"name": held})
            held.is_active, held.left_at = True, None
            held.save(update_fields=["is_active", "left_at"])
            record(
                actor=by.actor(),
                action="person.reactivate",
                target=target,
                before={"is_active": False},
                after={"is_active": True},
            )
    except Conflict as error:
        raise refuse(by, "person.reactivate", target, error) from None
    return held


def _apply(by: Principal, person: User, action: str, changes: dict[str, Any]) -> User:
    with transaction.atomic():
        held = _locked(person)
        before = {name: getattr(held, name) for name in changes}
        changed = [name for name, value in changes.items() if before[name] != value]
        if not changed:
            return held
        _keep_one_admin(held, stays_admin=changes.get("is_portal_admin", held.is_portal_admin))
        for name in changed:
            setattr(held, name, changes[name])
        _check(held)
        held.save(update_fields=changed)
        record(
            actor=by.actor(),
            action=action,
            target=person_target(held),
            before={name: before[name] for name in changed},
            after={name: changes[name] for name in changed},
        )
    return held


def _locked(person: User) -> User:
    """The person's row, locked with all portal administrators': two must not demote each other at once."""
    rows = User.objects.portal_admins() | User.objects.get_queryset().filter(pk=person.pk)
    return next(row for row in rows.order_by("pk").select_for_update() if row.pk == person.pk)


def _keep_one_admin(person: User, *, stays_admin: bool) -> None:
    is_one = person.is_portal_admin and person.is_active
    if is_one and not stays_admin and not User.objects.portal_admins().exclude(pk=person.pk).exists():
        raise Conflict(
            _("%(name)s is the last portal administrator.") % {"name": person},
            hint=_("Make somebody else a portal administrator first."),
        )


def _check(person: User) -> None:
    try:
        person.full_clean(exclude=["password"])
    except ValidationError as error:
        messages = {"" if name == "__all__" else name: texts for name, texts in error.message_dict.items()}
        raise InvalidInput(messages) from None


def _facts(person: User) -> dict[str, Any]:
    return {name: getattr(person, name) for name in SHOWN_FIELDS}
