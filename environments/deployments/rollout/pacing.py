"""How often a rollout is looked at: soon after something moved, seldom while nothing does, within a budget of calls.

The measure is the usual loop: every 15 seconds the service, its tasks and its target groups. A rollout
followed for ten minutes may cost half of that at most, whatever happens in it; much of it may be spent in
the first minutes, in which most of it happens and people look on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LOOP_SECONDS: Final = 15.0
# Calls for one call of the usual loop, and how many rounds of it may be spent at once.
SHARE, BURST_ROUNDS = 0.25, 7.0
SOONEST, SLOWEST = 2.0, 45.0
# While nothing changes each look waits longer than the one before.
PATIENCE: Final = (2.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0)
USUAL_LOOP: Final = 4


def loop_cost(tasks: int, groups: int) -> int:
    """Calls of one round of the usual loop: the service, its tasks by the hundred, each target group."""
    pages = max(1, -(-tasks // 100))
    return 1 + 2 * pages + groups


def allowance(watch: Mapping[str, Any], elapsed: float) -> float:
    """How many calls may be made now."""
    loop = float(watch.get("loop") or USUAL_LOOP)
    return BURST_ROUNDS * loop + _rate(watch) * max(0.0, elapsed) - float(watch.get("calls") or 0)


def seconds(watch: Mapping[str, Any], elapsed: float) -> float:
    """Until the next look: by how long nothing has changed, and until the budget allows a call again."""
    unchanged = int(watch.get("unchanged") or 0)
    wished = PATIENCE[min(unchanged, len(PATIENCE) - 1)]
    missing = 1.0 - allowance(watch, elapsed)
    return min(SLOWEST, max(SOONEST, wished, missing / _rate(watch)))


def _rate(watch: Mapping[str, Any]) -> float:
    return SHARE * float(watch.get("loop") or USUAL_LOOP) / LOOP_SECONDS
