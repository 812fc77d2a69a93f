"""The program runs badly or not at all."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from environments.deployments.catalogue.shapes import Entry, entry

RUNNING: Final[tuple[Entry, ...]] = (
    entry(
        "platform",
        _("The program is made for another processor"),
        _("The container's program cannot run on this CPU architecture (exec format error)."),
        _(
            "Build the image for the task definition's platform (for example --platform linux/amd64) and push it again."
        ),
        lambda f: f.says("exec format error") or f.logged("exec format error"),
    ),
    entry(
        "command-missing",
        _("The container's command does not exist"),
        _("The entry point or command names a file that is not in the image, or may not be executed."),
        _("Check ENTRYPOINT and CMD of the image and the command of the task definition."),
        lambda f: (
            f.says("cannotstartcontainer", "failed to create task", "executable file not found")
            and f.says("no such file", "not found", "permission denied")
        ),
    ),
    entry(
        "oom",
        _("Out of memory"),
        _("The container used more memory than its limit and was killed (exit code 137)."),
        _(
            "Raise the memory of the container or the task (2048 to 4096 MiB, say), or find what takes so much."
        ),
        lambda f: f.says("outofmemory", "out of memory", "oomkilled"),
    ),
    entry(
        "health-elb",
        _("The load balancer found the task unhealthy"),
        _("The target group's health check got no answer, a late one or another status than it expects."),
        _(
            "Ask the health path inside the container; check the path and codes of the target group, that the security "
            "group lets the load balancer reach the port, and that the grace period is long enough for a start."
        ),
        lambda f: f.says(
            "failed elb health checks", "failed load balancer health checks", "elb health check"
        ),
    ),
    entry(
        "health-container",
        _("The container's own health check failed"),
        _("The command of the health check in the task definition did not succeed often enough."),
        _("Read the last lines of the log; check the command, its timeout and the start period."),
        lambda f: f.says("failed container health checks", "container health check"),
    ),
    entry(
        "port-in-use",
        _("The port is in use already"),
        _("The program could not listen: something else in the task holds that port."),
        _("Let each container of the task use a port of its own, and start the program once."),
        lambda f: f.logged("address already in use", "eaddrinuse") or f.says("port is already allocated"),
    ),
    entry(
        "database",
        _("The database could not be reached"),
        _("The program ended because it got no connection to its database."),
        _(
            "Check that the database runs, its address and credentials, and that its security group lets the tasks in."
        ),
        lambda f: (
            bool(f.exits - {0})
            and f.logged(
                "could not connect to server",
                "connection to server",
                "econnrefused",
                "can't reach database server",
            )
        ),
    ),
    entry(
        "module-missing",
        _("The program misses a part of itself"),
        _("A module that the program needs is not in the image."),
        _("Check the Dockerfile and the list of dependencies; build and push again."),
        lambda f: (
            bool(f.exits - {0}) and f.logged("modulenotfounderror", "cannot find module", "no module named")
        ),
    ),
    entry(
        "segfault",
        _("The program crashed (exit code 139)"),
        _("It touched memory that is not its own: a fault in the program or in one of its native libraries."),
        _(
            "Compare the image with the last good one: a native dependency or another base image is the usual cause."
        ),
        lambda f: 139 in f.exits,
    ),
    entry(
        "killed",
        _("The container was killed (exit code 137)"),
        _("It used too much memory, or did not end in time after it was asked to."),
        _("Look at its memory; if that is fine, let it end on SIGTERM, or raise its stop timeout."),
        lambda f: 137 in f.exits,
    ),
)
