"""The periodic functions. Rooms register theirs when their app is ready; the scheduler process runs them.

    @periodic("changes.sweep", seconds=3)
    def sweep() -> None: ...

A function takes no argument, must be harmless when run twice at once, and hands long work to a queue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[[], object])


@dataclass(frozen=True)
class Periodic:
    """A registered function: its unique `name` and the seconds from one start to the next.

    `urgent` ones run beside the others: what takes long there must not delay them.
    """

    name: str
    seconds: float
    function: Callable[[], object]
    urgent: bool = False


_registered: dict[str, Periodic] = {}


def periodic(name: str, seconds: float, *, urgent: bool = False) -> Callable[[Function], Function]:
    """Register the decorated function. Raises ValueError when another function has that name."""

    def register(function: Function) -> Function:
        existing = _registered.get(name)
        if existing is not None and existing.function is not function:
            raise ValueError(f"A periodic function named {name!r} is registered already.")
        if seconds <= 0:
            raise ValueError("A periodic function needs a positive number of seconds.")
        _registered[name] = Periodic(name, seconds, function, urgent)
        return function

    return register


_on_each_worker: dict[str, Periodic] = {}


def on_each_worker(name: str, seconds: float) -> Callable[[Function], Function]:
    """Register a function that every worker process runs by itself, from its start on: what concerns its machine.

    It must be quick and harmless when run twice at once.
    """

    def register(function: Function) -> Function:
        _on_each_worker[name] = Periodic(name, seconds, function)
        return function

    return register


def registered_on_each_worker() -> dict[str, Periodic]:
    """All functions of `on_each_worker` by name."""
    return dict(_on_each_worker)


def registered() -> dict[str, Periodic]:
    """All periodic functions by name."""
    return dict(_registered)
