"""Room for deep recursion: pickling follows references from object to object, however long the chain."""

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

_STACK_BYTES = 256 * 1024 * 1024  # address space only; memory is taken as it is used
_CALLS = 50_000

T = TypeVar("T")


def with_room(function: Callable[[], T]) -> T:
    """Call the function where it may recurse 50,000 calls deep; returns or raises what it does."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)

    usual_stack, usual_calls = threading.stack_size(_STACK_BYTES), sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual_calls, _CALLS))
    try:
        thread = threading.Thread(target=run, name="deep", daemon=True)
        thread.start()
        threading.stack_size(usual_stack)
        thread.join()
    finally:
        threading.stack_size(usual_stack)
        sys.setrecursionlimit(usual_calls)
    if errors:
        raise errors[0]
    return results[0]
