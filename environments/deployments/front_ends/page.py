"""A front end's change in words: its proposal, how far it is, what stopping it means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from environments.changes.kinds import Stopping
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.deployments.front_ends import putting, releases
from environments.deployments.front_ends.models import FrontEndDeployment

TITLES: Final = {
    "removed": gettext_lazy("Removed"),
    "changed": gettext_lazy("Changed"),
    "added": gettext_lazy("Added"),
    "again": gettext_lazy("Put again: the content is there, its headers are not certain"),
}
STEPS: Final = {
    putting.ADDING: gettext_lazy("New files are being put beside the old ones; the site is as it was."),
    putting.SWITCHING: gettext_lazy("Files and pages are being replaced."),
    putting.DELETING: gettext_lazy("Files of no release are being deleted."),
    putting.FORGETTING: gettext_lazy("CloudFront's caches are being emptied; this takes a minute or two."),
    putting.DONE: gettext_lazy("The caches have forgotten; the bucket is compared with the release."),
}


def progress(change: Change) -> dict[str, Any]:
    """Asked for every second: one query."""
    deployment = FrontEndDeployment.objects.get(change=change)
    return {
        "moving": deployment,
        "step_text": STEPS.get(deployment.step, ""),
        "uploaded": deployment.progress.get("uploaded", 0),
        "of": deployment.progress.get("of", 0),
    }


def _of(change: Change) -> FrontEndDeployment:
    """With its releases, without what is in them."""
    heavy = [f"{row}__{name}" for row in ("release", "previous") for name in releases.LIGHT]
    rows = FrontEndDeployment.objects.select_related("release", "previous").defer(*heavy)
    return rows.get(change=change)


def context(change: Change) -> dict[str, Any]:
    deployment = _of(change)
    facts: Mapping[str, Any] = change.proposal.facts if change.proposal else {}
    lists = [
        {
            "name": name,
            "title": title,
            "paths": facts["files"][name],
            "count": facts["counts"][name],
            "more": facts["counts"][name] - len(facts["files"][name]),
        }
        for name, title in TITLES.items()
        if facts and facts["counts"][name]
    ]
    return {
        "front_end": deployment,
        "release": deployment.release,
        "lists": lists,
        "unchanged": facts["counts"]["unchanged"] if facts else 0,
        "warnings": facts.get("warnings", []),
        "effects": consequences(change),
    }


def consequences(change: Change) -> Sequence[str]:
    """What it does to what visitors get, worst first."""
    if change.proposal is None:
        return []
    counts = change.proposal.facts["counts"]
    said = []
    if counts["removed"]:
        text = ngettext(
            "%(n)s file is deleted from the bucket.",
            "%(n)s files are deleted from the bucket.",
            counts["removed"],
        )
        said.append(text % {"n": counts["removed"]})
    if counts["changed"]:
        text = ngettext(
            "%(n)s file that visitors get is replaced.",
            "%(n)s files that visitors get are replaced.",
            counts["changed"],
        )
        said.append(text % {"n": counts["changed"]})
    return [*said, _("CloudFront forgets everything it has cached.")]


def details(change: Change) -> dict[str, Any]:
    deployment = _of(change)
    facts: Mapping[str, Any] = change.proposal.facts if change.proposal else {}
    return {
        "bucket": deployment.bucket,
        "release": deployment.release.number,
        "label": deployment.release.label,
        "sha256": deployment.release.sha256,
        "previous": deployment.previous.number if deployment.previous else None,
        "distribution": deployment.distribution_id,
        "invalidation": deployment.invalidation_id,
        "step": deployment.step,
        "counts": facts.get("counts", {}),
        "warnings": facts.get("warnings", []),
    }


def stopping(change: Change) -> Stopping:
    """Until something is replaced it can be stopped, and the site is as it was."""
    effect = _("Nothing has been written.")
    if change.status == Status.EXECUTING:
        effect = _(
            "While new files are put beside the old ones it stops, and the site is as it was. "
            "Once pages are being replaced it goes on to the end; roll back afterwards."
        )
    return Stopping(
        label=_("Cancel the change"),
        question=_("Cancel “%(what)s”?"),
        effect=effect,
        under_way=_("%(who)s asked to stop it. Once pages are being replaced it goes on to the end."),
        too_late=_(
            "The release is in the bucket; only the outcome is being read. Roll back if it is not good."
        ),
    )
