"""From a release to what exactly would happen to its bucket, and whether that still fits."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes.kinds import Draft, Later, ToolFailure
from environments.changes.models import Change, Proposal
from environments.changes.work import Work
from environments.deployments.front_ends import comparing, releases
from environments.deployments.front_ends.comparing import Plan
from environments.deployments.front_ends.models import FrontEndDeployment, FrontEndPlan, FrontEndRelease
from environments.deployments.front_ends.places import FrontEnd, front_ends_of
from environments.deployments.proposal import bases
from environments.deployments.services import access_of
from environments.models import Environment
from portal.aws import objects
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from portal.core.canonical import digest

# A page shows so many names of each sort; the row has all.
SHOWN: Final = 200
RETRY_SECONDS: Final = 20.0


def deployment_of(change: Change) -> FrontEndDeployment:
    """The change's deployment with its release, without the build itself."""
    found = FrontEndDeployment.objects.select_related("release", "previous").defer(
        "release__content", "previous__content", "previous__files"
    )
    return found.get(change=change)


def access(environment: Environment) -> AccountAccess:
    """How the account is reached. Raises ToolFailure."""
    found = access_of(environment)
    if found is None:
        raise ToolFailure(_("The environment has no AWS account."), _("Give it one on its page."))
    return found


def propose(work: Work) -> Draft:
    """List the bucket and compare. Raises ToolFailure."""
    change = work.change
    deployment = deployment_of(change)
    release = deployment.release
    place = _place(change.environment, release)
    try:
        listed = objects.listing(access(change.environment), release.bucket)
        now = releases.in_force(change.environment, release.address)
        known = FrontEndRelease.objects.get(pk=now.pk).files if now else {}
        found = comparing.plan(access(change.environment), release.bucket, release.files, listed, known)
    except AwsError as refused:
        raise ToolFailure(refused.message, refused.hint) from refused
    good = releases.last_good(change.environment, release.address)
    back = good is not None and good.pk == release.pk
    facts = _facts(release, found, mode="front_end_rollback" if back else "front_end")
    facts["warnings"] = _warnings(change, release, found, now)

    def keep(proposal: Proposal) -> None:
        FrontEndPlan.objects.create(
            proposal=proposal, put=found.put, quiet=found.quiet, removed=list(found.removed)
        )
        FrontEndDeployment.objects.filter(pk=deployment.pk).update(
            previous=now, distribution_id=place.distribution_id
        )

    return Draft(
        digest=_digest(release, place, found),
        facts=facts,
        base={**bases.ground(change.environment), "bucket": comparing.fingerprint(listed)},
        summary=summary(facts["counts"]),
        empty=found.empty,
        keep=keep,
    )


def _place(environment: Environment, release: FrontEndRelease) -> FrontEnd:
    for place in front_ends_of(environment):
        if (place.address, place.bucket) == (release.address, release.bucket):
            return place
    raise ToolFailure(
        _("%(bucket)s is no bucket of this environment any more that a CloudFront distribution serves.")
        % {"bucket": release.bucket},
        _("Look at the environment's resources; upload the build again for the bucket that there is now."),
    )


def _digest(release: FrontEndRelease, place: FrontEnd, found: Plan) -> str:
    return digest(
        {
            "bucket": release.bucket,
            "distribution": place.distribution_id,
            "release": release.sha256,
            "put": found.put,
            "removed": list(found.removed),
        }
    )


def _facts(release: FrontEndRelease, found: Plan, *, mode: str) -> dict[str, Any]:
    lists = {
        "added": found.added,
        "changed": found.changed,
        "again": found.again,
        "removed": found.removed,
    }
    return {
        "kind": "front_end",
        "mode": mode,
        "release": release.number,
        "bucket": release.bucket,
        "counts": {**{name: len(paths) for name, paths in lists.items()}, "unchanged": found.unchanged},
        "files": {name: list(paths[:SHOWN]) for name, paths in lists.items()},
    }


def summary(counts: dict[str, int]) -> str:
    """“3 files added, 2 changed, 1 removed”."""
    texts = {
        "added": _("%(n)s added"),
        "changed": _("%(n)s changed"),
        "again": _("%(n)s put again"),
        "removed": _("%(n)s removed"),
    }
    said = [text % {"n": counts[name]} for name, text in texts.items() if counts[name]]
    return _("Files: %(counts)s") % {"counts": ", ".join(said)} if said else _("The bucket holds it already.")


def _warnings(
    change: Change, release: FrontEndRelease, found: Plan, now: FrontEndRelease | None
) -> list[str]:
    said = []
    known = set(FrontEndRelease.objects.get(pk=now.pk).files) if now else set()
    strange = [path for path in found.removed if path not in known]
    if strange:
        text = ngettext(
            "%(n)s file in the bucket is of no release in force and would be deleted: %(names)s.",
            "%(n)s files in the bucket are of no release in force and would be deleted: %(names)s.",
            len(strange),
        )
        said.append(text % {"n": len(strange), "names": _named(strange)})
    if now is None and releases.begun(change.environment, release.address).exists():
        said.append(_("The last attempt did not come through: every file is put there again."))
    return said


def _named(paths: list[str]) -> str:
    return ", ".join(paths[:5]) + (_(" and more") if len(paths) > 5 else "")


def moved(change: Change) -> str | None:
    """Why the current proposal no longer fits what is there; None while it does. Raises Later."""
    proposal = change.proposal
    if proposal is None:
        return _("There is no proposal.")
    for name, value in bases.ground(change.environment).items():
        if proposal.base.get(name) != value:
            return str(bases.MOVED_ACCOUNT[name])
    deployment = deployment_of(change)
    try:
        _place(change.environment, deployment.release)
        listed = objects.listing(access(change.environment), deployment.release.bucket)
    except ToolFailure as gone:
        return gone.message
    except AwsError as refused:
        if not refused.permanent:
            raise Later(RETRY_SECONDS) from refused
        return _("The bucket could not be read (%(why)s); proposed again.") % {"why": refused.message}
    if comparing.fingerprint(listed) != proposal.base.get("bucket"):
        return _("The bucket holds other files by now; proposed again.")
    return None
