"""What this room adds to others."""

from __future__ import annotations


def register() -> None:
    from environments.changes.kinds import register as register_kind
    from environments.deployments.kind import DeploymentKind

    register_kind(DeploymentKind())
    _pages()
    _front_ends()


def _pages() -> None:
    """What people meet of services outside this room's own pages, and the looks that keep it true."""
    from environments.deployments import after_runs
    from environments.deployments.shown import ownership
    from environments.deployments.status import housekeeping
    from environments.deployments.tab import columns, needs
    from environments.registry import Card, Tab, registry
    from portal.scheduler.registry import periodic

    registry.ownership = ownership.of_environment
    registry.columns.append(columns.SERVICES)
    registry.cards.append(Card("services", 15, "deployments/_card.html", columns.card))
    registry.tabs.append(Tab("services", "Services", 35, "deployments:services"))
    registry.needs.append(needs.needs)
    registry.searches.append(columns.search)
    registry.deployed_with = after_runs.deployed_with
    periodic("deployments.services", 10)(housekeeping.send_due)


def _front_ends() -> None:
    """Static front ends: their kind of change and their tab."""
    from environments.changes.kinds import register as register_kind
    from environments.deployments.front_ends.kind import FrontEndKind
    from environments.registry import Tab, registry

    register_kind(FrontEndKind())
    registry.tabs.append(Tab("front_ends", "Front ends", 36, "deployments:front_ends"))
