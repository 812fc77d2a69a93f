"""Client-side rate limits, so that the portal never uses up a quota that the account itself lives on.

AWS counts per account, region and service. The figures stay well below the published refill rates
("Request throttling" pages of ECS and RDS, CloudWatch's service quotas): ECS itself polls alarms during a
deployment, and a dashboard that eats that quota makes a rollback fail.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

# service or service.Operation -> (calls per second, burst)
LIMITS: dict[str, tuple[float, float]] = {
    "default": (10, 20),
    "ce": (1, 2),
    "cloudtrail": (1.5, 2),
    "iam": (5, 10),
    "monitoring": (5, 10),
    "ecs": (10, 40),
    # Each process counts for itself, and two workers deploy.
    "ecs.RegisterTaskDefinition": (0.45, 9),
    "ecs.DeregisterTaskDefinition": (0.2, 5),
    "ecs.UpdateService": (4, 40),
    "rds": (5, 15),
    "sts": (10, 20),
}


class TokenBucket:
    """Lets `rate` calls per second through on average, and `burst` at once after a rest."""

    def __init__(
        self,
        rate: float,
        burst: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate, self.burst = rate, burst
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._tokens, self._at = burst, clock()

    def take(self) -> float:
        """Wait until a call may go out; returns the seconds waited."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
            self._at = now
            # May go below zero: each who waits has a place in the line.
            self._tokens -= 1
            wait = max(0.0, -self._tokens / self.rate)
        if wait:
            self._sleep(wait)
        return wait


@lru_cache(maxsize=4096)
def bucket(account_id: str, region: str, name: str) -> TokenBucket:
    """The one bucket of this process for an account, a region and a service or operation."""
    return TokenBucket(*LIMITS.get(name, LIMITS["default"]))


def throttle(client: Any, account_id: str) -> None:
    """Make every request of a boto client, its retries included, wait for its bucket."""
    service = client.meta.service_model.signing_name

    def before_send(event_name: str, **_kwargs: Any) -> None:
        operation = f"{service}.{event_name.rpartition('.')[2]}"
        name = operation if operation in LIMITS else service
        bucket(account_id, client.meta.region_name, name).take()

    client.meta.events.register("before-send.*", before_send, unique_id="gatehouse-limits")
