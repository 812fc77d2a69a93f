"""Something a task needs before its program starts was not there."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from environments.deployments.catalogue.shapes import Entry, Facts, denied, entry


def _preparing(facts: Facts) -> bool:
    return facts.says("resourceinitializationerror", "unable to pull secrets or registry auth")


STARTING: Final[tuple[Entry, ...]] = (
    entry(
        "log-group-missing",
        _("The log group is missing"),
        _("The container's log configuration names a log group that does not exist."),
        _(
            "Create the log group with a Terraform run, or let the log driver create it (awslogs-create-group)."
        ),
        lambda f: (
            f.says("log group does not exist", "log group", "awslogs")
            and f.says(
                "does not exist",
                "resourcenotfound",
                "failed to validate logger",
                "create_log_stream",
                "createlogstream",
            )
        ),
    ),
    entry(
        "secret-denied",
        _("A secret may not be read"),
        _("The execution role has no right to read a secret, or to use the key that encrypts it."),
        _(
            "Allow secretsmanager:GetSecretValue or ssm:GetParameters on that ARN, and kms:Decrypt on its key, to the "
            "execution role."
        ),
        lambda f: _preparing(f) and denied(f),
    ),
    entry(
        "secret-missing",
        _("A secret does not exist"),
        _("The task definition names a secret, a key inside it or a version that is not there."),
        _("Compare the task definition's secret references with Secrets Manager; create what is missing."),
        lambda f: (
            _preparing(f)
            and f.says(
                "resourcenotfound",
                "can't find",
                "did not contain json key",
                "invalid parameters",
                "parameternotfound",
            )
        ),
    ),
    entry(
        "secret-unreachable",
        _("Secrets cannot be reached from the task's subnet"),
        _("There is no way from the task to Secrets Manager, Parameter Store or ECR."),
        _(
            "Check the route to the NAT gateway or the interface endpoints, and that the security group lets HTTPS out."
        ),
        lambda f: _preparing(f),
    ),
    entry(
        "no-address",
        _("The subnets have no free address"),
        _("Each task takes an address of its subnet, and none is left."),
        _("Stop what is not needed, use larger or more subnets, or deploy with fewer tasks at a time."),
        lambda f: f.says(
            "insufficientfreeaddresses", "not have enough free addresses", "insufficient free addresses"
        ),
    ),
    entry(
        "no-interface",
        _("No network interface could be attached"),
        _("The host has none left (RESOURCE:ENI), or the interface could not be made in time."),
        _(
            "Use another instance type or more hosts; on Fargate try again and look at the subnet's free addresses."
        ),
        lambda f: f.says("resource:eni", "network interface provision"),
    ),
    entry(
        "no-capacity",
        _("There is no capacity for the task"),
        _("AWS, or the cluster's hosts, have no room for a task of this size now."),
        _(
            "Wait and try again, use more availability zones, a smaller task, or raise the account's quota of vCPUs."
        ),
        lambda f: f.says(
            "capacity is unavailable",
            "resource:cpu",
            "resource:memory",
            "no container instances",
            "vcpu",
            "out of capacity",
        ),
    ),
    entry(
        "definition-inactive",
        _("The task definition is no longer active"),
        _("Somebody deregistered the revision; ECS starts no new task of it."),
        _("Deploy again: the portal registers the same content as a new revision."),
        lambda f: f.says(
            "taskdefinition is inactive", "task definition is inactive", "inactive task definition"
        ),
    ),
)
