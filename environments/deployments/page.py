"""The deployment on its change page and in the API: what the kind of change asks for, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from environments.changes.models import Change
from environments.deployments.shown import aftermath as after
from environments.deployments.shown import details as detailed
from environments.deployments.shown import progress as moving
from environments.deployments.shown import proposal, words
from portal.accounts.models import User


def progress(change: Change) -> Mapping[str, Any]:
    return moving.progress(change)


def context(change: Change, user: User) -> Mapping[str, Any]:
    return proposal.context(change, user)


def aftermath(change: Change, user: User) -> Mapping[str, Any]:
    return after.told(change, user)


def details(change: Change) -> Mapping[str, Any]:
    return detailed.details(change)


def consequences(change: Change) -> Sequence[str]:
    deployment, parts = proposal.of_change(change)
    return words.consequences(deployment, parts, proposal.proposals_of(change))
