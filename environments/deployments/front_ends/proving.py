"""Whether the bucket holds exactly the release, and the caches nothing older."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from environments.changes.kinds import Later, Verdict
from environments.changes.models import Change
from environments.changes.work import Work
from environments.deployments.front_ends import comparing, releases
from environments.deployments.front_ends.models import FrontEndDeployment
from environments.deployments.front_ends.proposing import access, deployment_of
from portal.aws import cloudfront, objects
from portal.aws.errors import AwsError

PAUSE = 5.0


def verify(work: Work) -> Verdict:
    """Read everything again. Raises Later while CloudFront is at it or AWS is away."""
    deployment = deployment_of(work.change)
    try:
        wrong = _wrong(work.change, deployment)
    except AwsError as refused:
        if not refused.permanent:
            raise Later(PAUSE) from refused
        wrong = [_("What is there could not be read: %(why)s") % {"why": refused.message}]
    if wrong:
        return Verdict(
            ok=False,
            summary=_("The bucket does not hold the release."),
            message="\n".join(wrong),
            hint=_("Roll back to an earlier release, or put this one in force again."),
        )
    release = deployment.release
    with work.fenced():
        releases.prune(work.change.environment, release.address)
    text = _("Release %(n)s is in force: %(count)s files; the caches have forgotten older ones.")
    return Verdict(ok=True, summary=text % {"n": release.number, "count": len(release.files)})


def _wrong(change: Change, deployment: FrontEndDeployment) -> list[str]:
    reached, release = access(change.environment), deployment.release
    listed = objects.listing(reached, release.bucket)
    found = comparing.plan(reached, release.bucket, release.files, listed, release.files)
    said = []
    for text, paths in (
        (_("Missing: %(names)s"), found.added),
        (_("Other content: %(names)s"), found.changed),
        (_("Not of this release: %(names)s"), found.removed),
    ):
        if paths:
            said.append(text % {"names": _some(paths)})
    order = cloudfront.invalidation(reached, deployment.distribution_id, deployment.invalidation_id)
    if not order.done and not said:
        raise Later(PAUSE)
    return said


def _some(paths: Sequence[str]) -> str:
    more = _(" and %(n)s more") % {"n": len(paths) - 10} if len(paths) > 10 else ""
    return ", ".join(paths[:10]) + more
