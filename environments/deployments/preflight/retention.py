"""Will ECR's lifecycle rules delete the image that is to run, or the one to go back to? Is that one there still?"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from environments.deployments.asked.images import parse, repository_of, running_image
from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, ok, warning
from portal.aws import ecr


def findings(target: Target, look: Look) -> Iterator[Finding]:
    found = [*_new(target, look), *_present(target, look)]
    yield from found
    if not found and (target.image or target.present_digest):
        yield ok("lifecycle", _("No lifecycle rule takes the present or the new image soon."))


def _new(target: Target, look: Look) -> Iterator[Finding]:
    if target.image is None:
        return
    repository = repository_of(look.access, target.service, target.running_definition)
    digest = target.image.digest
    condemned = look.condemned(repository, _both(target, digest))
    if digest in condemned:
        text = _("The image that is to run will go: %(why)s") % {"why": condemned[digest]}
        yield warning("lifecycle", text, _hint())


def _present(target: Target, look: Look) -> Iterator[Finding]:
    """The image that runs: the way back, and what every task is started from that ECS replaces until then."""
    digest = target.present_digest
    if not digest or (target.image and target.image.digest == digest):
        return
    repository = _where_it_came_from(target, look)
    if target.image and not look.holds(repository, digest):
        yield warning(
            "way_back",
            _("The image that runs now is not in %(name)s any more: there is no way back to it.")
            % {"name": repository},
            _("Push it again if you can. Otherwise make sure that the new one is right."),
        )
        return
    condemned = look.condemned(repository, _both(target, digest))
    if digest in condemned:
        text = _("The image that runs now, the way back, will go: %(why)s") % {"why": condemned[digest]}
        yield warning("lifecycle_present", text, _hint())


def _where_it_came_from(target: Target, look: Look) -> str:
    """The repository of what runs: another one than the declared one, when that was changed."""
    reference = parse(running_image(target.service, target.running_definition))
    if reference and reference.host == ecr.registry_host(look.access):
        return reference.repository
    return repository_of(look.access, target.service, target.running_definition)


def _both(target: Target, digest: str) -> list[str]:
    """Asked for together, so that one repository is read once."""
    new = [target.image.digest] if target.image else []
    return sorted({digest, target.present_digest, *new} - {""})


def _hint() -> str:
    return _(
        "Give it a tag that the rule keeps, or change the rule: tasks that ECS replaces later cannot start."
    )
