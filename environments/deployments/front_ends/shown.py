"""A front end and its releases as pages and the API show them."""

from __future__ import annotations

from typing import Any, Final

from environments.deployments.front_ends import releases
from environments.deployments.front_ends.actions import has_content
from environments.deployments.front_ends.models import FrontEndRelease
from environments.deployments.front_ends.places import FrontEnd
from environments.models import Environment

SHOWN: Final = 30


def line(environment: Environment, front_end: FrontEnd) -> dict[str, Any]:
    """One front end with its newest releases; constant number of queries."""
    rows = list(releases.releases_of(environment, front_end.address)[:SHOWN])
    kept = set(
        FrontEndRelease.objects.filter(pk__in=[row.pk for row in rows], content__isnull=False).values_list(
            "pk", flat=True
        )
    )
    now = releases.in_force(environment, front_end.address)
    good = releases.last_good(environment, front_end.address)
    last = releases.begun(environment, front_end.address).first()
    proven = releases.proven(environment, front_end.address)
    return {
        "front_end": front_end,
        "in_force": now,
        "last": last,
        "releases": [
            {
                "row": row,
                "in_force": now is not None and now.pk == row.pk,
                "last_good": good is not None and good.pk == row.pk,
                "proven": row.pk in proven,
                "kept": row.pk in kept,
            }
            for row in rows
        ],
    }


def preview(environment: Environment, release: FrontEndRelease) -> dict[str, Any]:
    """What rolling back to this release means, before anybody asks for it."""
    now = releases.in_force(environment, release.address)
    good = releases.last_good(environment, release.address)
    return {
        "release": release,
        "in_force": now,
        "is_in_force": now is not None and now.pk == release.pk,
        "is_last_good": good is not None and good.pk == release.pk,
        "is_proven": release.pk in releases.proven(environment, release.address),
        "kept": has_content(release),
    }
