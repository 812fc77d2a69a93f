"""How an addition joins one of moto's classes.

Both decorators look at the class first: an addition that moto has learned by itself in the meantime,
or a method that moto no longer has, stops the sandbox at start instead of misbehaving later.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from moto.core.base_backend import BaseBackend

F = TypeVar("F", bound=Callable[..., Any])


class AdditionMisfitError(RuntimeError):
    """The installed moto is not the one that an addition was written for."""


def add(cls: type) -> Callable[[F], F]:
    """Add the decorated function to ``cls`` as a method that moto does not have.

    Raises AdditionMisfitError when ``cls`` has a method of that name.
    """

    def join(function: F) -> F:
        name = function.__name__
        if hasattr(cls, name):
            raise AdditionMisfitError(f"moto's {cls.__name__} has a {name} of its own now")
        setattr(cls, name, function)
        return function

    return join


def wrap(cls: type, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replace the method ``cls.name``; the decorated function gets ``(original, self, ...)``.

    Raises AdditionMisfitError when ``cls`` has no such method.
    """
    original = getattr(cls, name, None)
    if original is None:
        raise AdditionMisfitError(f"moto's {cls.__name__} has no {name} any more")

    def join(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def replacement(self: Any, *args: Any, **kwargs: Any) -> Any:
            return function(original, self, *args, **kwargs)

        setattr(cls, name, replacement)
        return function

    return join


def store(backend: BaseBackend, name: str) -> dict[str, Any]:
    """A dictionary kept on a moto backend, made when first asked for.

    Living on the backend it is per account and region, and is covered by reset and by snapshots.
    """
    kept: dict[str, Any] = backend.__dict__.setdefault(f"sandbox_{name}", {})
    return kept
