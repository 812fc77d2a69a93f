"""Signing in and out, and one's own password."""

from __future__ import annotations

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.accounts import throttling
from portal.accounts.models import User
from portal.accounts.permissions import person_target, refuse
from portal.accounts.principals import Principal, principal_of
from portal.audit import Target, record
from portal.core.errors import GatehouseError, InvalidInput, NotAllowed

NAME_SHOWN = 150


class WrongPasswordError(GatehouseError):
    """The name and password do not belong together; which of them is wrong is not told."""

    status = 400
    title = gettext_lazy("Not signed in")
    default_code = "wrong-password"


def sign_in(*, by: Principal, request: HttpRequest, username: str, password: str) -> User:
    """Opens a session. `by` is the stranger at the door: address and request id.

    Raises WrongPasswordError or TooManyAttemptsError, both audited with the typed name, never the password.
    """
    typed = username.strip()[:NAME_SHOWN]
    stranger = Principal(None, "user", by.address, by.request_id, name=typed or "nobody")
    target = Target("person", typed, typed)
    for limit, subject in ((throttling.SIGN_IN_ADDRESS, ""), (throttling.SIGN_IN, typed)):
        wait = throttling.attempt(limit, subject, by.address)
        if wait:
            raise refuse(stranger, "session.sign_in", target, throttling.TooManyAttemptsError(wait))
    user = authenticate(request, username=typed, password=password)
    if not isinstance(user, User):
        message = _("The name or the password is wrong. Check both and try again.")
        raise refuse(stranger, "session.sign_in", target, WrongPasswordError(message))
    throttling.give_back(throttling.SIGN_IN_ADDRESS, "", by.address)
    throttling.give_back(throttling.SIGN_IN, typed, by.address, whole=True)
    with transaction.atomic():
        login(request, user)
        record(actor=principal_of(request).actor(), action="session.sign_in", target=person_target(user))
    return user


def sign_out(*, by: Principal, request: HttpRequest) -> None:
    """Ends this session; signing out twice is no error and leaves one record."""
    with transaction.atomic():
        if by.user is not None:
            record(actor=by.actor(), action="session.sign_out", target=person_target(by.user))
        logout(request)


def change_password(*, by: Principal, request: HttpRequest, current: str, new: str) -> None:
    """Sets one's own password and ends one's other sessions; this one goes on.

    Raises InvalidInput (fields `current`, `new`) and TooManyAttemptsError when the current one is guessed at.
    """
    user = by.user
    if user is None or by.kind != "user":
        raise NotAllowed(_("Passwords are changed on the page, by the person who signed in."))
    target = person_target(user)
    wait = throttling.attempt(throttling.SIGN_IN, user.username, by.address)
    if wait:
        raise refuse(by, "person.change_password", target, throttling.TooManyAttemptsError(wait))
    if not user.check_password(current):
        wrong = InvalidInput({"current": [_("This is not your present password.")]})
        raise refuse(by, "person.change_password", target, wrong)
    throttling.give_back(throttling.SIGN_IN, user.username, by.address, whole=True)
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise InvalidInput({"new": error.messages}) from None
    if current == new:
        raise InvalidInput({"new": [_("Choose a password that differs from the present one.")]})
    with transaction.atomic():
        set_password(user, new, must_change=False)
        update_session_auth_hash(request, user)
        record(actor=by.actor(), action="person.change_password", target=target)


def set_password(user: User, password: str, *, must_change: bool) -> None:
    """Stores the password and ends every session of the person. Callers audit it in their transaction."""
    user.set_password(password)
    user.must_change_password = must_change
    user.save(update_fields=["password", "must_change_password"])
    end_sessions(user)


def end_sessions(user: User) -> None:
    User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    user.refresh_from_db(fields=["session_epoch"])
