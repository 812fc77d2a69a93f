"""Every named address of the portal with the methods it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.views.generic import RedirectView

from portal.accounts.access import view_class_of

UNASKED = frozenset({"HEAD", "OPTIONS", "TRACE"})


def methods_of(view: Callable[..., Any]) -> list[str]:
    """The methods a view lets through: of a class its functions, else what require_http_methods was told."""
    cls = view_class_of(view)
    if cls is not None and issubclass(cls, RedirectView):
        return ["GET"]
    if cls is not None:
        names = [name.upper() for name in cls.http_method_names if hasattr(cls, name)]
        return [name for name in names if name not in UNASKED]
    found: Any = view
    while found is not None:
        held = dict(zip(found.__code__.co_freevars, found.__closure__ or (), strict=True))
        if "request_method_list" in held:
            return [name for name in held["request_method_list"].cell_contents if name not in UNASKED]
        found = getattr(found, "__wrapped__", None)
    return ["ANY"]


def routes() -> list[tuple[str, str, list[str]]]:
    """(name such as "changes:detail", address pattern, methods) of all addresses."""
    return list(_walk(get_resolver().url_patterns, "", ""))


def _walk(patterns: list[Any], prefix: str, space: str) -> Iterator[tuple[str, str, list[str]]]:
    for entry in patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(
                entry.url_patterns, address, f"{space}{entry.namespace}:" if entry.namespace else space
            )
        elif isinstance(entry, URLPattern):
            yield f"{space}{entry.name}", address, methods_of(entry.callback)
