"""Locking a state by hand, and letting go of it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from environments.acts import acting
from environments.models import Environment
from environments.permissions import require
from environments.runs.actions import target_of
from environments.runs.models import StateLock
from environments.runs.reasons import given_reason
from environments.runs.states import locks, store
from portal.accounts.principals import Principal
from portal.core.errors import Conflict


def lock_state(*, by: Principal, environment: Environment, reason: str) -> StateLock:
    """Lock the state in one's own name: runs wait, command lines are told who and why."""
    with acting(by, environment, action="state.lock", target=target_of(environment)):
        require(by, environment, "state.lock")
        return locks.lock_by_hand(environment, by=by, reason=given_reason(reason))


def unlock_state(*, by: Principal, environment: Environment) -> None:
    """Take away one's own lock; anybody else's is an admin's to release (`actions.force_unlock`)."""
    with acting(by, environment, action="state.unlock", target=target_of(environment)):
        require(by, environment, "state.lock")
        locks.unlock_own(environment, by=by)


def release_by_proof(*, by: Principal, environment: Environment) -> None:
    """Release the lock of a run that ended and whose Terraform is proven dead. Raises Conflict without proof."""
    with acting(by, environment, action="state.unlock", target=target_of(environment)):
        require(by, environment, "state.lock")
        if not store.unlock_dead(environment, by=by):
            raise Conflict(
                _("There is no proof that whoever holds the lock is gone."),
                hint=_("An admin can release it with a reason."),
            )
