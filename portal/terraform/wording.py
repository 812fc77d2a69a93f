"""Mark texts for translation without needing Django: the page that shows one translates it."""

from __future__ import annotations


def translatable(message: str) -> str:
    """The message itself. Import it `as _`: that is the name by which makemessages finds texts."""
    return message
