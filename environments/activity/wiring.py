"""What this room adds to others."""

from __future__ import annotations


def register() -> None:
    return
