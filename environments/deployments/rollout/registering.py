"""Registering the approved task definition, or taking an equal revision that is there already."""

from __future__ import annotations

from django.utils.translation import gettext as _

from environments.changes.work import Work
from environments.deployments.models import Act, DeploymentPart, ServiceProposal, Step
from portal.aws import ecs
from portal.aws.sessions import AccountAccess


def due(part: DeploymentPart, proposal: ServiceProposal) -> bool:
    """Whether it has not been registered yet, as far as the rows tell."""
    begun = part.step == Step.REGISTERING and bool(proposal.rendered) and not part.registered_arn
    return part.step == Step.WAITING or begun


def stays(part: DeploymentPart, proposal: ServiceProposal) -> bool:
    """Whether the service runs just what was approved already, while another of the deployment does not."""
    return not proposal.rendered and part.deployment.act not in (Act.RESTART, Act.SCALE)


def register(work: Work, access: AccountAccess, part: DeploymentPart, proposal: ServiceProposal) -> None:
    """Have `part.registered_arn` name a revision with the approved content. Raises AwsError.

    Equal revisions are reused: ECS registers one a second only, and keeps a million of a family. So a worker
    killed between registering and writing it down makes none twice.
    """
    arn = proposal.running_arn if stays(part, proposal) else ""
    if proposal.rendered:
        with work.fenced():
            part.step = Step.REGISTERING
            part.save(update_fields=["step"])
        arn = ecs.find_equal_revision(access, proposal.rendered)
        if arn:
            text = _("%(service)s: the revision %(revision)s says just this already.")
        else:
            work.lease.hold()
            arn = ecs.register(access, proposal.rendered)
            text = _("%(service)s: registered as %(revision)s.")
        work.say(text % {"service": part.service, "revision": arn.rpartition("/")[2]})
    with work.fenced():
        part.step, part.registered_arn = Step.REGISTERING, arn
        part.digest, part.tag = proposal.digest, proposal.tag
        part.save(update_fields=["step", "registered_arn", "digest", "tag"])
