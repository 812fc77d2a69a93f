"""What this room adds to others."""

from __future__ import annotations


def register() -> None:
    from environments.registry import Tab, registry

    registry.tabs.append(Tab("activity", "Activity", 90, "activity:of_environment"))
