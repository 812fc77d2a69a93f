"""What this room adds to others' pages and to the scheduler."""

from __future__ import annotations


def register() -> None:
    from environments.blueprints.actions import define_first
    from environments.blueprints.collecting import blueprint_folders
    from environments.blueprints.drafts import sweep_drafts
    from environments.registry import Tab, registry
    from portal.scheduler.registry import periodic

    registry.blueprints = blueprint_folders
    registry.define = define_first
    registry.tabs.append(Tab("definition", "Definition", 20, "blueprints:definitions"))
    periodic("blueprints.sweep_drafts", seconds=600)(sweep_drafts)
