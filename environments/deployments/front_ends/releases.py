"""Releases of a front end: the one in force, the last good one, those that can still be put in force."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db.models import QuerySet

from environments.changes.lifecycle import OPEN, Status
from environments.deployments.front_ends.models import FrontEndDeployment, FrontEndRelease
from environments.deployments.front_ends.places import FrontEnd
from environments.models import Environment

LIGHT = ("content", "files")


def releases_of(environment: Environment, address: str) -> QuerySet[FrontEndRelease]:
    """Newest first, without their content."""
    found: QuerySet[FrontEndRelease] = FrontEndRelease.objects.filter(
        environment=environment, address=address
    )
    return found.defer(*LIGHT)


def begun(environment: Environment, address: str) -> QuerySet[FrontEndDeployment]:
    """Deployments of the front end that touched its bucket, the latest first."""
    return (
        FrontEndDeployment.objects.filter(
            release__environment=environment, release__address=address, change__started_at__isnull=False
        )
        .exclude(step="")
        .select_related("change", "release")
        .defer("release__content", "release__files")
        .order_by("-change__started_at", "-pk")
    )


def in_force(environment: Environment, address: str) -> FrontEndRelease | None:
    """What the bucket holds as far as the portal knows: None when the last attempt did not come through."""
    last = begun(environment, address).first()
    return last.release if last is not None and last.change.status == Status.SUCCEEDED else None


def last_good(environment: Environment, address: str) -> FrontEndRelease | None:
    """What one goes back to without asking anybody: the release proven in force before the present one.

    After an attempt that did not come through it is the one that was in force before that attempt.
    """
    now = in_force(environment, address)
    proven = begun(environment, address).filter(change__status=Status.SUCCEEDED)
    for deployment in proven:
        if now is None or deployment.release_id != now.pk:
            return deployment.release
    return None


def proven(environment: Environment, address: str) -> set[int]:
    """Releases (primary keys) that were in force once: going to one of them is going back."""
    found = begun(environment, address).filter(change__status=Status.SUCCEEDED)
    return set(found.values_list("release_id", flat=True))


def prune(environment: Environment, address: str) -> int:
    """Forget the content of releases beyond the kept number; returns how many. Inside a transaction.

    What is in force, what one would go back to, and what an open change is about stays whatever its age.
    """
    kept = list(
        releases_of(environment, address)
        .filter(content__isnull=False)
        .values_list("pk", flat=True)[: settings.FRONT_END_RELEASES_KEPT]
    )
    held = [*kept, *_needed(environment, address)]
    old = FrontEndRelease.objects.filter(environment=environment, address=address, content__isnull=False)
    return old.exclude(pk__in=held).update(content=None)


def _needed(environment: Environment, address: str) -> Sequence[int]:
    found = {
        release.pk
        for release in (in_force(environment, address), last_good(environment, address))
        if release is not None
    }
    open_ones = FrontEndDeployment.objects.filter(
        release__environment=environment, release__address=address, change__status__in=OPEN
    )
    return [*found, *open_ones.values_list("release_id", flat=True)]


def next_number(environment: Environment, front_end: FrontEnd) -> int:
    """The number of the next release; the caller holds the environment's row."""
    newest = releases_of(environment, front_end.address).first()
    return newest.number + 1 if newest else 1
