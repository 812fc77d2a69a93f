"""The deployment beside its change: what was asked of each service, what a proposal would do, how far it is."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from environments.changes.models import Change, Proposal
from environments.deployments.evidence_models import CheckResult, OneOffTask, ServiceEvent, StoppedTask
from environments.deployments.front_ends.models import FrontEndDeployment, FrontEndPlan, FrontEndRelease
from environments.deployments.request_models import RequestKey
from environments.deployments.status_models import ServiceCheck, ServiceStatus
from environments.models import Environment
from portal.core.fields import EncryptedJSONField

__all__ = [
    "Act",
    "CheckResult",
    "Deployment",
    "DeploymentPart",
    "FrontEndDeployment",
    "FrontEndPlan",
    "FrontEndRelease",
    "OneOffTask",
    "Outcome",
    "RequestKey",
    "ServiceCheck",
    "ServiceEvent",
    "ServiceProposal",
    "ServiceStatus",
    "Step",
    "StoppedTask",
    "Strategy",
]


class Act(models.TextChoices):
    """What a deployment is asked to do."""

    DEPLOY = "deploy", _("Deploy an image")
    CONFIGURE = "configure", _("Change settings")
    RESTART = "restart", _("Restart")
    SCALE = "scale", _("Scale")
    ROLLBACK = "rollback", _("Roll back")


class Strategy(models.TextChoices):
    """ECS's deployment strategies."""

    ROLLING = "rolling", _("Rolling")
    BLUE_GREEN = "blue_green", _("Blue/green")
    CANARY = "canary", _("Canary")
    LINEAR = "linear", _("Linear")


class Step(models.TextChoices):
    """How far one service of a deployment is; each is written before the call that begins it."""

    WAITING = "waiting", _("Waiting for its turn")
    REGISTERING = "registering", _("Registering the task definition")
    BEFORE_TASK = "before_task", _("Running the task before it")
    UPDATING = "updating", _("Telling ECS")
    WATCHING = "watching", _("Rolling out")
    PROVING = "proving", _("Proving")
    ROLLING_BACK = "rolling_back", _("Rolling back")
    DONE = "done", _("Done")


class Outcome(models.TextChoices):
    """How it ended for one service; empty while it has not."""

    SUCCEEDED = "succeeded", _("Runs as approved")
    UNTOUCHED = "untouched", _("Not touched")
    ROLLED_BACK = "rolled_back", _("Rolled back")
    ROLLBACK_FAILED = "rollback_failed", _("Rollback failed")
    FAILED = "failed", _("Failed")


class Deployment(models.Model):
    """What a change of kind "deployment" asks for; its services, in order, are `parts`."""

    change = models.OneToOneField(Change, on_delete=models.PROTECT, related_name="deployment")
    act = models.CharField(max_length=20, choices=Act.choices, default=Act.DEPLOY)
    strategy = models.CharField(max_length=20, choices=Strategy.choices, default=Strategy.ROLLING)
    # canary_percent, canary_bake_minutes, step_percent, step_bake_minutes
    strategy_options = models.JSONField(default=dict)
    # How long the environment's alarms are watched afterwards; null: as the service declares.
    bake_seconds = models.PositiveIntegerField(null=True)
    # A one-off task before the first service: {"name", "service", "container", "command": [...]} or {}.
    before_task = models.JSONField(default=dict)
    # The deployment whose revisions come back.
    rollback_to = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="rollbacks")
    # The environment whose running digests were taken ("promote").
    promoted_from = models.ForeignKey(Environment, on_delete=models.PROTECT, null=True, related_name="+")
    # The alarms are watched until then; null before.
    bake_until = models.DateTimeField(null=True)
    # How far proving it is (verifying.py has the shape).
    verification = models.JSONField(default=dict)
    # Once execute goes back: {"message", "hint", "cancelled": bool, "left": [part ids that stay as they are]}.
    retreat = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.act} {self.change_id}"


class DeploymentPart(models.Model):
    """One service of a deployment: what was asked, then, as execute goes on, what was done in AWS."""

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="parts")
    position = models.PositiveSmallIntegerField()
    # The service's address in the inventory, its ARN, its name and its cluster's ARN.
    address = models.CharField(max_length=500)
    service_arn = models.CharField(max_length=400)
    service = models.CharField(max_length=255)
    cluster_arn = models.CharField(max_length=400)
    # The container that the image and the settings are for.
    container = models.CharField(max_length=255, blank=True)
    # As asked: {"image": tag, digest or whole reference, "environment": {name: value}, "unset": [names],
    # "cpu", "memory", "desired", "minimum", "maximum"}; encrypted, a value may be somebody's secret.
    # A rollback has {"revision", "image": digest, "tag"}; a promotion {"source": {"service_arn", "cluster_arn", ...}}.
    wanted = EncryptedJSONField(default=dict)

    step = models.CharField(max_length=20, choices=Step.choices, default=Step.WAITING)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)
    outcome_reason = models.TextField(blank=True)
    # What the service ran before, to go back to.
    previous_arn = models.CharField(max_length=400, blank=True)
    previous_digest = models.CharField(max_length=100, blank=True)
    previous_scaling = models.JSONField(default=dict)
    # What runs when it came out as approved: "sha256:..." of the part's container.
    digest = models.CharField(max_length=100, blank=True)
    tag = models.CharField(max_length=300, blank=True)
    registered_arn = models.CharField(max_length=400, blank=True)
    # When UpdateService was about to be called, and what ECS made of it.
    intended_at = models.DateTimeField(null=True)
    # ECS's primary deployment just before: what is another one afterwards is ours.
    previous_deployment_id = models.CharField(max_length=100, blank=True)
    ecs_deployment_id = models.CharField(max_length=100, blank=True)
    service_deployment_arn = models.CharField(max_length=400, blank=True)
    # The deployment by which ECS or the portal went back.
    rollback_arn = models.CharField(max_length=400, blank=True)
    # When going back began, and the revision that came back: a re-registered one when the previous is INACTIVE.
    going_back_at = models.DateTimeField(null=True)
    back_arn = models.CharField(max_length=400, blank=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # The last look: counts of old and new tasks, tasks, targets, breaker, alarms (watching.py has the shape).
    progress = models.JSONField(default=dict)
    progress_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["deployment", "service_arn"], name="deployment_service_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["service_arn", "-id"])]

    def __str__(self) -> str:
        return f"{self.service} in {self.deployment_id}"


class ServiceProposal(models.Model):
    """What a proposal would do to one service: the rendered task definition beside the running one."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="services")
    part = models.ForeignKey(DeploymentPart, on_delete=models.PROTECT, related_name="proposals")
    position = models.PositiveSmallIntegerField()
    running_arn = models.CharField(max_length=400)
    running_digest = models.CharField(max_length=100, blank=True)
    repository = models.CharField(max_length=300, blank=True)
    tag = models.CharField(max_length=300, blank=True)
    digest = models.CharField(max_length=100, blank=True)
    # What RegisterTaskDefinition gets; {} when the running revision stays (restart, scale).
    rendered = EncryptedJSONField(default=dict)
    # [{"container", "path", "owner": deployment|terraform, "source": request|running|terraform,
    # "before", "after", "sensitive": bool, "seal"}]
    difference = EncryptedJSONField(default=list)
    # {"pushed_at", "size", "platforms", "scan": {severity: n}, "labels", "commits": {"from", "to", "url"}}
    image = models.JSONField(default=dict)
    # [{"key", "state": ok|warning|failing|unknown, "text", "hint"}]
    preflight = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["proposal", "part"], name="service_proposal_once"),
        ]

    def __str__(self) -> str:
        return f"{self.part_id} in proposal {self.proposal_id}"
