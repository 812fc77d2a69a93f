"""What this room adds to others."""

from __future__ import annotations


def register() -> None:
    from environments.changes.kinds import register as register_kind
    from environments.registry import Card, Tab, registry
    from environments.runs import actions, cards, columns, drift, housekeeping
    from environments.runs.kind import TerraformRunKind
    from portal.scheduler.registry import periodic

    register_kind(TerraformRunKind())
    registry.plan = actions.plan_definition
    registry.columns.append(columns.TERRAFORM)
    registry.cards.append(Card("drift", 20, "runs/_drift_card.html", cards.drift_card))
    registry.retire_blockers.append(columns.retire_blockers)
    registry.searches.append(columns.search)
    registry.tabs += [
        Tab("resources", "Resources", 40, "runs:resources"),
        Tab("outputs", "Outputs", 50, "runs:outputs"),
        Tab("state", "State versions", 60, "runs:state_versions"),
    ]
    periodic("runs.drift", 20)(housekeeping.send_drift_checks)
    periodic("runs.live", 20)(housekeeping.send_live_checks)
    periodic("runs.locks", 5)(housekeeping.release_dead_locks)
    periodic("runs.credentials", 15)(housekeeping.revoke_left_credentials)
    periodic("runs.folders", 3600)(drift.sweep_folders)
