"""From what is asked to what exactly would happen."""

from __future__ import annotations

from environments.changes.kinds import Draft
from environments.changes.work import Work


def propose(work: Work) -> Draft:
    raise NotImplementedError
