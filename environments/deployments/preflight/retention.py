"""Will ECR's lifecycle rules delete the image that is to run, or the one to go back to?"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from environments.deployments.images import repository_of
from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, ok, warning


def findings(target: Target, look: Look) -> Iterator[Finding]:
    new = target.image.digest if target.image else ""
    if not new and not target.present_digest:
        return
    repository = repository_of(look.access, target.service, target.running_definition)
    condemned = look.condemned(repository, [one for one in (new, target.present_digest) if one])
    hint = _(
        "Give it a tag that the rule keeps, or change the rule: tasks that ECS replaces later cannot start."
    )
    if new in condemned:
        yield warning(
            "lifecycle", _("The image that is to run will go: %(why)s") % {"why": condemned[new]}, hint
        )
    if target.present_digest in condemned and target.present_digest != new:
        why = condemned[target.present_digest]
        yield warning(
            "lifecycle_present",
            _("The image that runs now, the way back, will go: %(why)s") % {"why": why},
            hint,
        )
    if not condemned:
        yield ok("lifecycle", _("No lifecycle rule takes the present or the new image soon."))
