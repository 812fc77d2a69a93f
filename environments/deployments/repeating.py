"""Asking for the same deployment again."""

from __future__ import annotations

from environments.changes.models import Change


def repeat(earlier: Change, change: Change) -> None:
    raise NotImplementedError
