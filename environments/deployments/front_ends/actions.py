"""What people do with front ends: upload a build, put an earlier release in force again."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _

from environments.acts import acting
from environments.changes import actions as changes
from environments.changes.models import Change, Start
from environments.changes.transitions import note_event
from environments.deployments.front_ends import builds, releases, superseding
from environments.deployments.front_ends.builds import Build
from environments.deployments.front_ends.models import FrontEndDeployment, FrontEndRelease
from environments.deployments.front_ends.places import FrontEnd, front_end_of, front_ends_of
from environments.models import Environment
from environments.permissions import require
from portal.accounts.principals import Principal
from portal.audit import Target
from portal.core.errors import InvalidInput

KIND: Final = "front_end"
# Back to what worked goes before everything that waits.
FIRST: Final = -10


def may_ask(*, by: Principal, environment: Environment) -> None:
    """Let through whoever may ask for a release, before a long upload is read. Raises Http404, NotAllowed."""
    with acting(by, environment, action="change.request", target=_target(environment)):
        require(by, environment, "change.request")


def request_release(
    *,
    by: Principal,
    environment: Environment,
    content: bytes,
    front_end: str = "",
    label: str = "",
    reason: str = "",
    ticket: str = "",
    start: str = Start.ON_APPROVAL,
    start_at: Any = None,
) -> Change:
    """Keep an uploaded build as a release and ask that it is put in force.

    `front_end` is a key, bucket or address; empty where there is one only. The same build again is the same
    release. Raises NotAllowed, InvalidInput, Conflict.
    """
    with acting(by, environment, action="change.request", target=_target(environment)):
        require(by, environment, "change.request")
        place = _place(environment, front_end)
    # A large build takes a second to look at: not while a transaction is open.
    build = builds.read(content, place.index)
    with acting(by, environment, action="change.request", target=_target(environment)):
        require(by, environment, "change.request")
        superseding.take_turns(environment)
        release = _release(environment, place, build, content, label=label, by=by)
        words = {"label": release.label or _("release %(n)s") % {"n": release.number}}
        title = _("Put %(label)s of %(front_end)s in force in %(environment)s")
        change = changes.request(
            by=by,
            environment=environment,
            kind=KIND,
            title=title % {**words, "front_end": place.key, "environment": environment},
            reason=reason.strip(),
            ticket=ticket,
            start=start,
            start_at=start_at,
        )
        _deployment(change, release, place, by=by)
        releases.prune(environment, place.address)
    return change


def request_rollback(
    *, by: Principal, environment: Environment, front_end: str, number: int, reason: str = ""
) -> Change:
    """Ask that a kept release is put in force again, before everything that waits.

    One that never was in force waits its turn like a new one. Raises NotAllowed, InvalidInput, Conflict.
    """
    with acting(by, environment, action="change.request", target=_target(environment)):
        require(by, environment, "change.request")
        place = _place(environment, front_end)
        superseding.take_turns(environment)
        release = releases.releases_of(environment, place.address).filter(number=number).first()
        if release is None or not has_content(release):
            raise InvalidInput({"number": [_("Release %(n)s is not kept any more.") % {"n": number}]})
        back = release.pk in releases.proven(environment, place.address)
        title = _("Put release %(n)s of %(front_end)s in force in %(environment)s")
        if back:
            title = _("Roll %(front_end)s back to release %(n)s in %(environment)s")
        change = changes.request(
            by=by,
            environment=environment,
            kind=KIND,
            title=title % {"front_end": place.key, "n": number, "environment": environment},
            reason=reason.strip(),
            priority=FIRST if back else 0,
        )
        _deployment(change, release, place, by=by)
    return change


def has_content(release: FrontEndRelease) -> bool:
    """Whether it can still be put in force; asked of the database, the content is large."""
    return FrontEndRelease.objects.filter(pk=release.pk, content__isnull=False).exists()


def _place(environment: Environment, named: str) -> FrontEnd:
    found = front_end_of(environment, named)
    if found is not None:
        return found
    names = ", ".join(one.key for one in front_ends_of(environment))
    if names:
        raise InvalidInput({"front_end": [_("Name one of these front ends: %(names)s.") % {"names": names}]})
    raise InvalidInput(
        {"front_end": [_("The inventory has no bucket here that a CloudFront distribution serves.")]}
    )


def _release(
    environment: Environment, place: FrontEnd, build: Build, content: bytes, *, label: str, by: Principal
) -> FrontEndRelease:
    """The release with this content, made unless the newest kept ones have it."""
    known = (
        releases.releases_of(environment, place.address)
        .filter(sha256=build.sha256, bucket=place.bucket, content__isnull=False)
        .first()
    )
    if known is not None:
        return known
    return FrontEndRelease.objects.create(
        environment=environment,
        address=place.address,
        bucket=place.bucket,
        number=releases.next_number(environment, place),
        sha256=build.sha256,
        size=build.size,
        files={path: dict(file) for path, file in build.files.items()},
        content=content,
        label=label.strip()[:120],
        uploaded_by=by.name[:150],
    )


def _deployment(change: Change, release: FrontEndRelease, place: FrontEnd, *, by: Principal) -> None:
    deployment = FrontEndDeployment.objects.create(
        change=change,
        release=release,
        previous=releases.in_force(change.environment, place.address),
        bucket=release.bucket,
        distribution_id=place.distribution_id,
    )
    note_event(
        change,
        by=by,
        action="front_end.release",
        bucket=release.bucket,
        release=release.number,
        sha256=release.sha256,
    )
    superseding.replace_older(deployment, by=by)


def _target(environment: Environment) -> Target:
    return Target("environment", environment.key, str(environment))
