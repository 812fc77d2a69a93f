"""Requests for services of a scene, and what comes of them."""

from __future__ import annotations

from typing import Any

from environments.changes.models import Change
from environments.deployments import actions
from environments.deployments.actions import Asked
from environments.deployments.models import ServiceProposal
from portal.accounts.models import User
from tests.cast import by
from tests.environments.deployments.scene import Place


def deploy(place: Place, user: User, image: str = "v2", *keys: str, **options: Any) -> Change:
    """A request for this image on these services (none named: all of the place)."""
    asked = [Asked(key, image=image) for key in keys or place.services]
    return actions.request_deployment(
        by=by(user), environment=place.environment, services=asked, **options
    )


def restart(place: Place, user: User, *keys: str, **options: Any) -> Change:
    asked = [Asked(key) for key in keys or place.services]
    return actions.request_restart(by=by(user), environment=place.environment, services=asked, **options)


def scale(place: Place, user: User, key: str, **counts: int) -> Change:
    return actions.request_scale(
        by=by(user), environment=place.environment, services=[Asked(key, **counts)]
    )


def configure(place: Place, user: User, key: str, **settings: Any) -> Change:
    asked = [Asked(key, **settings)]
    return actions.request_deployment(by=by(user), environment=place.environment, services=asked)


def proposed(change: Change, service: str) -> ServiceProposal:
    """What the change's current proposal would do to this service."""
    assert change.proposal is not None
    return ServiceProposal.objects.get(proposal=change.proposal, part__service=service)
