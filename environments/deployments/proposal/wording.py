"""A proposal in words and facts: what the gates ask about, the list's one line, the log's lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes.models import Change
from environments.deployments import preflight
from environments.deployments.asked import images, titles
from environments.deployments.models import Act, Deployment
from environments.deployments.proposal import difference, modes
from environments.deployments.proposal.counts import Counts
from environments.deployments.proposal.service_plans import ServicePlan

KIND: Final = "deployment"
SUMMARY: Final = 300


def facts(deployment: Deployment, found: Sequence[ServicePlan]) -> dict[str, Any]:
    """What the gates ask about, and the pages say; values of variables are not among it."""
    rows = [row for plan in found for row in plan.difference]
    return {
        "kind": KIND,
        "mode": modes.mode_of(deployment, found),
        "act": deployment.act,
        "strategy": deployment.strategy,
        "services": [plan.service.name for plan in found],
        "images": {
            plan.service.name: {"tag": plan.tag, "digest": plan.digest, "before": plan.running.digest}
            for plan in found
            if plan.image is not None
        },
        "counts": {
            plan.service.name: {"before": plan.counts[0], "after": plan.counts[1]}
            for plan in found
            if deployment.act == Act.SCALE
        },
        "effects": {},
        "destroys": False,
        "touches_iam": difference.touches_roles(rows),
        "touches_network": difference.touches_network(rows),
        "warnings": warnings(found),
    }


def warnings(found: Sequence[ServicePlan]) -> list[str]:
    """What somebody has to know before they agree."""
    told = [
        f"{plan.service.name}: {row['text']}"
        for plan in found
        for row in plan.preflight
        if row["state"] == preflight.WARNING
    ]
    for plan in found:
        told += [f"{plan.service.name}: {problem}" for problem in plan.service.declaration.problems]
        if plan.part.deployment.act == Act.RESTART and not _is_pinned(plan):
            told.append(
                _("%(service)s names its image by a tag: the new tasks run what the tag means by now.")
                % {"service": plan.service.name}
            )
    return told


def _is_pinned(plan: ServicePlan) -> bool:
    own = images.container_of(plan.container, plan.running.definition) or {}
    return bool(images.digest_in(str(own.get("image") or "")))


def title(change: Change, found: Sequence[ServicePlan]) -> str:
    deployment = change.deployment
    named = [(plan.service.name, {**plan.part.wanted, "tag": plan.tag}) for plan in found]
    return titles.title(deployment.act, named, change.environment, deployment.promoted_from)


def summary(deployment: Deployment, found: Sequence[ServicePlan]) -> str:
    """“onno-api: v1 to v2; onno-ws: v1 to v2, 2 more fields”."""
    text = "; ".join(f"{plan.service.name}: {_one(deployment, plan)}" for plan in found)
    return text if len(text) <= SUMMARY else f"{text[: SUMMARY - 1]}…"


def _one(deployment: Deployment, plan: ServicePlan) -> str:
    if deployment.act == Act.RESTART:
        return _("new tasks of what runs")
    if deployment.act == Act.SCALE:
        return _counts(*plan.counts)
    if not plan.does_something:
        return _("stays as it is")
    parts = [_image(plan)] if _brings_image(plan) else []
    rest = len(plan.difference) - len(parts)
    if rest:
        more = ngettext("%(n)s more field", "%(n)s more fields", rest)
        alone = ngettext("%(n)s field", "%(n)s fields", rest)
        parts.append((more if parts else alone) % {"n": rest})
    return ", ".join(parts)


def _brings_image(plan: ServicePlan) -> bool:
    return any(row["path"] == "image" and row["container"] == plan.container for row in plan.difference)


def _image(plan: ServicePlan) -> str:
    before = plan.image_before.tags if plan.image_before else ()
    then = (before[0] if before else "") or titles.short(plan.running.digest) or _("an unknown image")
    now = plan.tag or titles.short(plan.digest)
    if plan.running.digest and plan.running.digest == plan.digest:
        return _("%(now)s, pinned to its digest") % {"now": now or then}
    return _("%(then)s to %(now)s") % {"then": then, "now": now}


def _counts(before: Counts, after: Counts) -> str:
    names = {"desired": _("tasks"), "minimum": _("minimum"), "maximum": _("maximum")}
    told = [
        _("%(name)s %(then)s to %(now)s") % {"name": names[name], "then": before[name], "now": after[name]}
        for name in names
        if before[name] != after[name]
    ]
    return ", ".join(told) or _("stays as it is")


def lines(plan: ServicePlan) -> Iterator[str]:
    """What the log says of one service; no values."""
    name = plan.service.name
    runs = plan.running.arn.rpartition("/")[2]
    yield _("%(service)s runs %(revision)s, image %(digest)s.") % {
        "service": name,
        "revision": runs,
        "digest": plan.running.digest or _("not known"),
    }
    if plan.image is not None:
        yield _("%(service)s: %(tag)s is %(image)s.") % {
            "service": name,
            "tag": plan.tag or _("the image"),
            "image": plan.image.reference,
        }
    for row in plan.difference:
        yield f"{name}: {row['container'] or _('task')}: {row['path']} ({row['owner']})"
    for finding in plan.preflight:
        if finding["state"] != preflight.OK:
            yield f"{name}: {finding['state']}: {finding['text']} {finding['hint']}".rstrip()
