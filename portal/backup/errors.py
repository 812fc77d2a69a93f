"""Why a backup or a restore was not done, in words for whoever typed the command."""

from __future__ import annotations

from collections.abc import Callable

# Where the progress goes: a line a step.
Say = Callable[[str], None]


class BackupError(Exception):
    """Not done; the text says why and what to do. Nothing that stood before was altered unless it says so."""
