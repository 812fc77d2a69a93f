"""What differs between two proposals of one deployment."""

from __future__ import annotations

from environments.changes.kinds import Comparison
from environments.changes.models import Proposal


def compare(before: Proposal, after: Proposal) -> Comparison | None:
    raise NotImplementedError
