"""What this room adds to others."""

from __future__ import annotations


def register() -> None:
    from environments.changes.kinds import register as register_kind
    from environments.deployments.kind import DeploymentKind

    register_kind(DeploymentKind())
