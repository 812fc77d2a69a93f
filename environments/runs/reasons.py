"""Why somebody does it: asked for by every act of the state room."""

from __future__ import annotations

from django.utils.translation import gettext as _

from portal.core.errors import InvalidInput

LONGEST_REASON = 2000


def given_reason(text: str) -> str:
    """The reason, which every act here asks for. Raises InvalidInput."""
    if not text.strip():
        raise InvalidInput({"reason": [_("Say why, for those who vote on it.")]})
    return text.strip()[:LONGEST_REASON]
