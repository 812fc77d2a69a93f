"""What this room adds to others."""

from __future__ import annotations


def register() -> None:
    from environments.changes.kinds import register as register_kind
    from environments.registry import Card, Tab, registry
    from environments.runs import actions, cards, columns, inventory
    from environments.runs.drift import page
    from environments.runs.kind import TerraformRunKind
    from environments.runs.leftovers import shown
    from environments.runs.live import shown as live_shown
    from environments.runs.live.removal import ExtraRemovalKind
    from environments.runs.states.edits import StateEditKind

    register_kind(TerraformRunKind())
    register_kind(StateEditKind())
    register_kind(ExtraRemovalKind())
    registry.plan = actions.plan_definition
    registry.outputs = inventory.outputs_of
    registry.outputs_named = inventory.outputs_named
    registry.columns.append(columns.TERRAFORM)
    registry.cards.append(Card("drift", 20, "runs/_drift_card.html", cards.drift_card))
    registry.cards.append(Card("leftovers", 5, "runs/_leftovers_card.html", shown.card))
    registry.needs.append(shown.needs)
    registry.needs.append(live_shown.needs)
    registry.retire_blockers.append(columns.retire_blockers)
    registry.retire_blockers.append(shown.retire_blockers)
    registry.searches.append(columns.search)
    registry.tabs += [
        Tab("resources", "Resources", 40, "runs:resources"),
        Tab("outputs", "Outputs", 50, "runs:outputs"),
        Tab("drift", "Drift", 55, "runs:drift", page.count),
        Tab("state", "State versions", 60, "runs:state_versions"),
    ]
    _schedule()


def _schedule() -> None:
    """What the scheduler does for runs, and what every worker does for its own machine."""
    from environments.runs import folders, housekeeping
    from environments.runs.leftovers import aftermath
    from environments.runs.states import copying, upkeep
    from portal.scheduler.registry import on_each_worker, periodic

    periodic("runs.drift", 20)(housekeeping.send_drift_checks)
    periodic("runs.live", 20)(housekeeping.send_live_checks)
    periodic("runs.locks", 5, urgent=True)(housekeeping.release_dead_locks)
    periodic("runs.leftovers", 5, urgent=True)(aftermath.close_all)
    periodic("runs.credentials", 15)(housekeeping.revoke_left_credentials)
    periodic("runs.state_copies", 15)(copying.send_due)
    periodic("runs.inventories", 10)(upkeep.send_due_inventories)
    periodic("runs.state_edits", 60)(upkeep.drop_left_contents)
    periodic("runs.folders", 60)(folders.sweep)
    # Whether a process is dead only its own machine can prove.
    on_each_worker("runs.locks", 5)(housekeeping.release_dead_locks)
    on_each_worker("runs.leftovers", 5)(aftermath.close_all)
    on_each_worker("runs.credentials", 15)(housekeeping.revoke_left_credentials)
    on_each_worker("runs.folders", 60)(folders.sweep)
