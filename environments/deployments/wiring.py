"""What this room adds to others."""

from __future__ import annotations


def register() -> None:
    from environments.changes.kinds import register as register_kind
    from environments.deployments.kind import DeploymentKind

    register_kind(DeploymentKind())
    _pages()


def _pages() -> None:
    """What people meet of services outside this room's own pages, and the looks that keep it true."""
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
    periodic("deployments.services", 10)(housekeeping.send_due)
