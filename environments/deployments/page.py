"""The deployment on its change page and in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from environments.changes.models import Change
from portal.accounts.models import User


def progress(change: Change) -> Mapping[str, Any]:
    return {}


def context(change: Change, user: User) -> Mapping[str, Any]:
    return {}


def aftermath(change: Change, user: User) -> Mapping[str, Any]:
    return {}


def details(change: Change) -> Mapping[str, Any]:
    return {}


def consequences(change: Change) -> Sequence[str]:
    return []
