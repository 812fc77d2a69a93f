"""What this room adds to others' pages and to the scheduler."""

from __future__ import annotations


def register() -> None:
    from environments.blueprints.drafts import sweep_drafts
    from environments.registry import Tab, registry
    from portal.scheduler.registry import periodic

    registry.tabs.append(Tab("definition", "Definition", 20, "blueprints:definitions"))
    periodic("blueprints.sweep_drafts", seconds=600)(sweep_drafts)
