"""What this app adds to its own registry."""

from __future__ import annotations


def register() -> None:
    from environments import searching
    from environments.registry import Tab, registry

    registry.tabs += [Tab("overview", "Overview", 10, "environments:detail")]
    registry.searches.append(searching.search)
