"""What the service's events tell of trouble."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from environments.deployments.catalogue.shapes import Entry, entry
from environments.deployments.catalogue.starting import STARTING

EVENTS: Final[tuple[Entry, ...]] = (
    *(
        one
        for one in STARTING
        if one.key in {"no-address", "no-interface", "no-capacity", "definition-inactive"}
    ),
    entry(
        "role",
        _("ECS may not use a role of the service"),
        _("The role does not exist, or its trust policy does not let ECS assume it."),
        _(
            "Check the task's roles and the service's: they have to trust ecs-tasks.amazonaws.com and ecs.amazonaws.com."
        ),
        lambda f: f.says("unable to assume", "not authorized to perform: iam:passrole"),
    ),
    entry(
        "targets-unhealthy",
        _("The load balancer finds tasks unhealthy"),
        _("The target group's health check gets no answer, a late one or another status than it expects."),
        _(
            "Ask the health path inside the container; check the target group's path and codes and the security groups."
        ),
        lambda f: f.says("is unhealthy in"),
    ),
    entry(
        "alarm",
        _("An alarm fired during the deployment"),
        _("One of the alarms that ECS watches went into ALARM."),
        _("Look at the alarm's figures around that time, and at the new version's log."),
        lambda f: f.says("alarm detected", "alarms detected"),
    ),
    entry(
        "tasks-keep-failing",
        _("Tasks of the service keep stopping"),
        _("ECS starts them again and again, and waits longer each time."),
        _("Look at the stopped tasks below: each has its reason and the last lines of its log."),
        lambda f: f.says("unable to consistently start tasks", "tasks failed to start"),
    ),
    entry(
        "no-place",
        _("ECS found no place for a task"),
        _("No host or subnet of the service takes another task now; AWS's own words say why."),
        _("Check the capacity, the free addresses of the subnets and the placement rules."),
        lambda f: f.says("unable to place a task"),
    ),
)
