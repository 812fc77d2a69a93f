"""What people do in the state room: roll back, import, lock by hand, unlock, hand out a token for the command line."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import PurePath

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.changes import actions as changes
from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import refusal, require, roles_of
from environments.runs import state, state_locks
from environments.runs.actions import target_of
from environments.runs.models import StateEdit, StateLock
from environments.runs.state_edit_plan import ours
from environments.runs.state_edits import KIND
from portal.accounts.actions import create_token, revoke_token
from portal.accounts.models import SCOPE_STATE_WRITE, ApiToken, User
from portal.accounts.principals import SYSTEM, Principal
from portal.aws.objects import BUCKET, LONGEST_KEY
from portal.core.errors import Conflict, InvalidInput, NotAllowed
from portal.terraform.errors import StateUnreadable
from portal.terraform.state import State
from portal.terraform.state_intake import accept_state

S3 = re.compile(r"s3://([^/]+)/(.+)\Z")
LONGEST_REASON = 2000
MOST_HOURS = 12


def request_rollback(*, by: Principal, environment: Environment, number: int, reason: str) -> Change:
    """Ask that an earlier version becomes the newest again. Raises NotAllowed, InvalidInput, Conflict."""
    with acting(by, environment, action="change.request", target=target_of(environment)):
        require(by, environment, "state.edit")
        text = _reason(reason)
        version = environment.state_versions.filter(number=number).defer("content").first()
        if version is None:
            raise InvalidInput({"version": [_("There is no such state version.")]})
        change = changes.request(
            by=by,
            environment=environment,
            kind=KIND,
            title=_("Roll the state of %(environment)s back to version %(n)s")
            % {"environment": environment, "n": number},
            reason=text,
        )
        StateEdit.objects.create(change=change, action=StateEdit.Action.ROLLBACK, version=version)
    return change


def request_import(
    *,
    by: Principal,
    environment: Environment,
    reason: str,
    content: bytes | None = None,
    file_name: str = "",
    s3: str = "",
    confirm_name: str = "",
) -> Change:
    """Ask that a state from a file (`content`) or from s3://bucket/key becomes the newest.

    A file is checked here, an object when a worker has read it. `confirm_name`, the environment's id, says
    that a state of other infrastructure (another lineage) may replace the kept one.
    Raises NotAllowed, InvalidInput, Conflict.
    """
    with acting(by, environment, action="change.request", target=target_of(environment)):
        require(by, environment, "state.edit")
        text = _reason(reason)
        confirmed = confirm_name == environment.key
        if (content is None) == (not s3.strip()):
            raise InvalidInput({"file": [_("Give either a file or an S3 address.")]})
        if content is None:
            source = _s3_address(environment, s3.strip())
        else:
            source = state.tidy(PurePath(file_name or "upload").name, 200)
            _may_follow(environment, _accepted(content), confirmed=confirmed)
        change = changes.request(
            by=by,
            environment=environment,
            kind=KIND,
            title=_("Import a state into %(environment)s") % {"environment": environment},
            reason=text,
        )
        StateEdit.objects.create(
            change=change,
            action=StateEdit.Action.IMPORT,
            source=source,
            content=content,
            replaces_lineage=confirmed,
        )
    return change


def _reason(text: str) -> str:
    if not text.strip():
        raise InvalidInput({"reason": [_("Say why, for those who vote on it.")]})
    return text.strip()[:LONGEST_REASON]


def _accepted(content: bytes) -> State:
    if len(content) > settings.STATE_MAX_BYTES:
        raise InvalidInput({"file": [_("The file is larger than a state may be here.")]})
    try:
        return accept_state(content, terraform=ours())
    except StateUnreadable as unreadable:
        raise InvalidInput({"file": [str(unreadable)]}) from unreadable


def _may_follow(environment: Environment, found: State, *, confirmed: bool) -> None:
    kept = state.position(environment)
    if kept["lineage"] and kept["lineage"] != found.lineage and not confirmed:
        raise InvalidInput(
            {
                "confirm_name": [
                    _(
                        "This state has another lineage than the one kept here: it describes other infrastructure. "
                        "Type %(key)s to replace the kept one."
                    )
                    % {"key": environment.key}
                ]
            }
        )


def _s3_address(environment: Environment, text: str) -> str:
    found = S3.match(text)
    key_fits = found is not None and len(found[2].encode("utf-8", "replace")) <= LONGEST_KEY
    if found is None or not BUCKET.match(found[1]) or not key_fits or state.tidy(text, 1200) != text:
        raise InvalidInput({"s3": [_("Write the address as s3://bucket/path/to/terraform.tfstate.")]})
    if environment.account is None:
        raise InvalidInput(
            {"s3": [_("The environment has no AWS account to read it with; upload the file.")]}
        )
    return text


def lock_state(*, by: Principal, environment: Environment, reason: str) -> StateLock:
    """Lock the state in one's own name: runs wait, command lines are told who and why."""
    with acting(by, environment, action="state.lock", target=target_of(environment)):
        require(by, environment, "state.lock")
        return state_locks.lock_by_hand(environment, by=by, reason=_reason(reason))


def unlock_state(*, by: Principal, environment: Environment) -> None:
    """Take away one's own lock; anybody else's is an admin's to release (`actions.force_unlock`)."""
    with acting(by, environment, action="state.unlock", target=target_of(environment)):
        require(by, environment, "state.lock")
        state_locks.unlock_own(environment, by=by)


def release_by_proof(*, by: Principal, environment: Environment) -> None:
    """Release the lock of a run that ended and whose Terraform is proven dead. Raises Conflict without proof."""
    with acting(by, environment, action="state.unlock", target=target_of(environment)):
        require(by, environment, "state.lock")
        if not state.unlock_dead(environment, by=by):
            raise Conflict(
                _("There is no proof that whoever holds the lock is gone."),
                hint=_("An admin can release it with a reason."),
            )


def issue_state_token(
    *, by: Principal, environment: Environment, person: User, hours: int, reason: str
) -> tuple[ApiToken, str]:
    """A token with which this person's terraform may write this state, for 1 to 12 hours; and its text, shown once.

    What is written with it passes no gate, so it is an admin's to give, at a page: never with a token.
    Raises NotAllowed, InvalidInput.
    """
    with acting(by, environment, action="state.token", target=target_of(environment)):
        require(by, environment, "state.token")
        if by.token is not None:
            raise NotAllowed(_("Sign in for this: no API token hands out a token that writes state."))
        text = _reason(reason)
        errors: dict[str, list[str]] = {}
        if not 1 <= hours <= MOST_HOURS:
            errors["hours"] = [_("A token that writes lives for 1 to %(n)s hours.") % {"n": MOST_HOURS}]
        why = refusal(roles_of(person, environment.tenant), "state.write")
        if not person.is_active or why:
            errors["person"] = [
                _("%(who)s may not write this state. %(why)s") % {"who": person, "why": why or ""}
            ]
        if errors:
            raise InvalidInput(errors)
        token, plain = create_token(
            by=by,
            name=_("terraform for %(environment)s") % {"environment": environment.key[:50]},
            owner=person,
            scopes=[SCOPE_STATE_WRITE],
            environment_id=environment.key,
            lifetime=timedelta(hours=hours),
        )
        state.record(
            environment,
            by,
            "state.token",
            token=token.prefix,
            person=person.username,
            hours=hours,
            reason=text,
        )
    return token, plain


def revoke_state_token(*, by: Principal, environment: Environment, prefix: str) -> None:
    """End a token that writes this state, at once, even while it holds the lock. Raises NotAllowed, InvalidInput."""
    with acting(by, environment, action="state.token_revoke", target=target_of(environment)):
        require(by, environment, "state.token")
        token = state_tokens(environment).filter(prefix=prefix).first()
        if token is None:
            raise InvalidInput({"token": [_("There is no such token.")]})
        state.record(environment, by, "state.token_revoke", token=token.prefix, person=token.user.username)
        # Its owner or a portal administrator could do so themselves; a tenant's admin does it here.
        revoke_token(by=SYSTEM, token=token)


def state_tokens(environment: Environment) -> QuerySet[ApiToken]:
    """Tokens that were issued to write this state and were not revoked, the latest first."""
    found = ApiToken.objects.filter(environment_id=environment.key, revoked_at=None)
    return found.select_related("user").order_by("-created_at")
