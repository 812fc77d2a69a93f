"""The gate that every request passes, so that a snapshot never sees one half done."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RequestGate:
    """Counts requests in flight and the changes they made; can be closed for a moment."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._in_flight = 0
        self._closed = False
        self._changes = 0

    @property
    def changes(self) -> int:
        """How many requests that may have changed something have finished."""
        return self._changes

    @contextmanager
    def passing(self, *, changing: bool) -> Iterator[None]:
        """Hold for the time of one request; waits while the gate is closed."""
        with self._condition:
            self._condition.wait_for(lambda: not self._closed)
            self._in_flight += 1
        try:
            yield
        finally:
            with self._condition:
                self._in_flight -= 1
                # Counted also after an error: a request that failed may have changed something before.
                self._changes += changing
                self._condition.notify_all()

    @contextmanager
    def closed(self, patience: float) -> Iterator[bool]:
        """Close the gate; yields whether the last request left within ``patience`` seconds.

        A request may take long (a queue's long poll), so who gets False should try again later.
        """
        with self._condition:
            self._condition.wait_for(lambda: not self._closed)
            self._closed = True
            empty = self._condition.wait_for(lambda: self._in_flight == 0, timeout=patience)
        try:
            yield empty
        finally:
            with self._condition:
                self._closed = False
                self._condition.notify_all()
