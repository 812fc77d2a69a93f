"""What must be at the start as it was when it was proposed."""

from __future__ import annotations

from environments.changes.models import Change


def moved(change: Change) -> str | None:
    raise NotImplementedError
