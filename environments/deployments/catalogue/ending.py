"""The task was taken away, or its program ended and nothing more particular is known."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from environments.deployments.catalogue.shapes import Entry, entry

TAKEN: Final[tuple[Entry, ...]] = (
    entry(
        "spot",
        _("AWS took the Spot capacity back"),
        _("The task ran on spare capacity, which AWS may take back at two minutes' notice."),
        _("Nothing is wrong with it. Keep a part of the tasks on ordinary capacity if this hurts."),
        lambda f: f.code == "SpotInterruption" or f.says("spot interruption"),
    ),
    entry(
        "host",
        _("The host of the task was stopped"),
        _("AWS retired it, or the instance under the task went away."),
        _("Nothing is wrong with the image; ECS starts the task elsewhere. See the account's health events."),
        lambda f: (
            f.code in {"TerminationNotice", "InfrastructureHealth"}
            or f.says("host ec2", "underlying infrastructure", "fargate platform")
        ),
    ),
    entry(
        "scaling-in",
        _("ECS took the task away"),
        _("Fewer tasks were wanted, or a deployment replaced or withdrew it."),
        _("Nothing to do: this is how tasks end."),
        lambda f: (
            f.says("scaling activity initiated by", "(deployment ecs-svc", "task set")
            or (f.code == "ServiceSchedulerInitiated" and not f.says("unhealthy", "health check"))
        ),
        normal=True,
    ),
    entry(
        "stopped-by-user",
        _("Somebody stopped the task"),
        _("StopTask was called by a person or a program."),
        _("CloudTrail tells who. ECS starts another one by itself."),
        lambda f: f.code == "UserInitiated",
        normal=True,
    ),
)

ENDED: Final[tuple[Entry, ...]] = (
    entry(
        "sigterm",
        _("The program ended on SIGTERM (exit code 143)"),
        _("It was asked to end and did: because of a deployment, scaling in, or a failed health check."),
        _("Look at what asked it to: the events of the service around that time."),
        lambda f: 143 in f.exits,
    ),
    entry(
        "exited",
        _("The program ended by itself with an error"),
        _("An essential container ended with an error, and with it the whole task."),
        _(
            "Read its last lines: a missing setting, an unreachable database or a failed start are the usual causes."
        ),
        lambda f: bool(f.exits - {0}),
    ),
    entry(
        "exited-zero",
        _("The program ended by itself"),
        _("An essential container ended without an error. A service's program must keep running."),
        _("Check the command: it may do one thing and end, or put itself into the background."),
        lambda f: f.says("essential container") or f.code == "EssentialContainerExited",
    ),
    entry(
        "start-failed",
        _("The task could not be started"),
        _("Something it needs was not there in time; AWS's own words say what."),
        _("Check the image, the secrets, the log group and the free addresses of the subnets."),
        lambda f: f.code == "TaskFailedToStart",
    ),
)
