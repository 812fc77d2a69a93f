"""Environments with services and deployments in every state, written straight into the database: what pages show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from environments.changes.models import Change, Proposal, Transition, Vote
from environments.deployments.models import (
    Act,
    CheckResult,
    Deployment,
    DeploymentPart,
    OneOffTask,
    ServiceCheck,
    ServiceEvent,
    ServiceProposal,
    ServiceStatus,
    StoppedTask,
)
from environments.models import AwsAccount, Environment, Resource, Tenant
from environments.runs.models import Output
from portal.accounts.models import User
from tests.environments.deployments.crafted_facts import (
    ACCOUNT,
    DIFFERENCE,
    FACTS,
    NEW,
    OLD,
    PREFLIGHT,
    REGION,
)

CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/triflow-ai-production"
WAY = ("requested", "proposing", "awaiting_approval", "approved", "executing", "verifying", "succeeded")
NOT_BEGUN = {"requested", "proposing", "awaiting_approval", "approved", "rejected", "expired", "superseded"}


def service_arn(name: str) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/triflow-ai-production/{name}"


def revision(name: str, number: int) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/triflow-ai-production-{name}:{number}"


def production(tenant: Tenant) -> Environment:
    """A production environment with an account and the services backend and worker."""
    account = AwsAccount.objects.create(tenant=tenant, name="main", account_id=ACCOUNT)
    environment = Environment.objects.create(
        tenant=tenant, slug="production", name="production", environment_class="production", account=account
    )
    services(environment, "backend", "worker")
    return environment


def services(environment: Environment, *names: str, terraform: int = 1) -> None:
    """These services in the inventory and in the output `deployments`, Terraform's newest revision being `terraform`."""
    value = {}
    for order, name in enumerate(names, 1):
        Resource.objects.create(
            environment=environment,
            address=f'module.service["{name}"].aws_ecs_service.this',
            type="aws_ecs_service",
            name="this",
            provider_id=service_arn(name),
            attributes={"name": name, "cluster": CLUSTER},
        )
        Resource.objects.create(
            environment=environment,
            address=f'module.service["{name}"].aws_ecs_task_definition.this',
            type="aws_ecs_task_definition",
            name="this",
            provider_id=f"triflow-ai-production-{name}",
            arn=revision(name, terraform),
            attributes={
                "family": f"triflow-ai-production-{name}",
                "cpu": "512",
                "memory": "1024",
                "container_definitions": json.dumps([{"name": name, "cpu": 256}]),
            },
        )
        value[name] = {
            "service_arn": service_arn(name),
            "container": name,
            "repository": f"triflow-ai-{name}",
            "task_definition": revision(name, terraform),
            "deployment_owns": ["image", "cpu", "environment.LOG_LEVEL"],
            "order": order,
            "strategies": ["rolling"],
            "alarms": ["triflow-ai-production-alb-5xx-errors-above-one-percent"],
            "bake_minutes": 5,
            "checks": [{"name": "health", "url": "https://triflow-ai.com/api/health"}],
        }
    Output.objects.update_or_create(
        environment=environment, name="deployments", defaults={"type": "dynamic", "value": value}
    )


def status(environment: Environment, name: str, number: int = 1, **fields: Any) -> ServiceStatus:
    """The last look at a service: two healthy tasks of v1 a moment ago; `fields` say otherwise."""
    now = timezone.now()
    ServiceCheck.objects.get_or_create(environment=environment, defaults={"due_at": None})
    values: dict[str, Any] = {
        "address": f'module.service["{name}"].aws_ecs_service.this',
        "service": name,
        "cluster_arn": CLUSTER,
        "status": "ACTIVE",
        "desired": 2,
        "running": 2,
        "pending": 0,
        "minimum": 2,
        "maximum": 6,
        "task_definition_arn": revision(name, number),
        "images": {name: {"image": f"{name}:v1@{OLD}", "tag": "v1", "digest": OLD}},
        "deployments": [
            {"id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED", "desired": 2, "running": 2}
        ],
        "tasks": tasks(name, number, 2),
        "tasks_at": now,
        "taken_at": now,
    }
    made: ServiceStatus = ServiceStatus.objects.create(
        environment=environment, service_arn=service_arn(name), **{**values, **fields}
    )
    return made


def tasks(name: str, number: int, count: int, **fields: Any) -> list[dict[str, Any]]:
    """Tasks in the shape of DeploymentPart.progress["tasks"]."""
    found = []
    for place in range(count):
        ident = uuid4().hex
        found.append(
            {
                "id": ident,
                "arn": f"{CLUSTER.replace(':cluster/', ':task/')}/{ident}",
                "task_definition": revision(name, number),
                "new": False,
                "last_status": "RUNNING",
                "desired_status": "RUNNING",
                "health": "HEALTHY",
                "digest": OLD,
                "started_at": (timezone.now() - timedelta(hours=5)).isoformat(),
                "zone": f"{REGION}{'abc'[place % 3]}",
                **fields,
            }
        )
    return found


def deployment(
    environment: Environment,
    by: User,
    state: str,
    *names: str,
    act: str = Act.DEPLOY,
    tag: str = "v2",
    digest: str = NEW,
    strategy: str = "rolling",
    ended: datetime | None = None,
    took: timedelta = timedelta(minutes=4),
    approver: User | None = None,
    image: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Change:
    """A change of these services that got as far as `state`; its parts as they would be then."""
    now = timezone.now()
    final = state not in WAY[:-1]
    finished = ended or now
    began = None if state in NOT_BEGUN else (finished if final else now) - took
    change = Change.objects.create(
        environment=environment,
        kind="deployment",
        title=f"{'Deploy' if act == Act.DEPLOY else act.capitalize()} {tag} to {' and '.join(names)} in {environment}",
        status=state,
        summary=f"{len(names)} services, image {tag}",
        requested_by=by,
        requested_by_name=str(by),
        reason="The fix for slow searches.",
        created_at=(began or now) - timedelta(minutes=10),
        started_at=began,
        finished_at=finished if final else None,
        due_at=None,
        **fields,
    )
    way = WAY[: WAY.index(state)] if state in WAY else WAY[:3]
    for before, after in zip(("", *way), (*way, state), strict=True):
        Transition.objects.create(change=change, from_status=before, to_status=after, by=str(by), note="")
    made = Deployment.objects.create(change=change, act=act, strategy=strategy)
    for position, name in enumerate(names):
        DeploymentPart.objects.create(
            deployment=made,
            position=position,
            address=f'module.service["{name}"].aws_ecs_service.this',
            service_arn=service_arn(name),
            service=name,
            cluster_arn=CLUSTER,
            container=name,
            wanted={"image": tag, "environment": {"API_KEY": "a-value-nobody-may-see"}},
            previous_arn=revision(name, 1),
            previous_digest=OLD,
            started_at=began,
            intended_at=began,
            finished_at=finished if final and began else None,
            step="done" if final and began else "waiting",
            outcome="succeeded" if state == "succeeded" else "",
            tag=tag if state == "succeeded" else "",
            digest=digest if state == "succeeded" else "",
            registered_arn=revision(name, 2) if began else "",
        )
    if state not in WAY[:2]:
        _propose(change, made, tag, digest, FACTS if image is None else image)
    if approver is not None and change.proposal is not None:
        Vote.objects.create(proposal=change.proposal, user=approver, decision="approve", roles=["approver"])
    return change


def _propose(change: Change, made: Deployment, tag: str, digest: str, image: Mapping[str, Any]) -> None:
    facts = {
        "kind": "deployment",
        "mode": made.act,
        "act": made.act,
        "services": [part.service for part in made.parts.all()],
        "warnings": ["A lifecycle rule deletes the present image in 3 days."],
    }
    change.proposal = Proposal.objects.create(
        change=change, number=1, digest=uuid4().hex * 2, facts=facts, summary=change.summary
    )
    change.save(update_fields=["proposal"])
    for part in made.parts.all():
        ServiceProposal.objects.create(
            proposal=change.proposal,
            part=part,
            position=part.position,
            running_arn=revision(part.service, 1),
            running_digest=OLD,
            repository=f"triflow-ai-{part.service}",
            tag=tag,
            digest=digest,
            difference=[{"container": part.service, "sensitive": False, **row} for row in DIFFERENCE],
            image=dict(image),
            preflight=PREFLIGHT,
        )


def rolling_out(change: Change, *, new: int = 1, old: int = 2, most: int = 3) -> None:
    """The change midway: the first service is watched, the others wait."""
    first, *rest = change.deployment.parts.order_by("position")
    name = first.service
    rows = tasks(name, 1, old) + tasks(
        name, 2, new, new=True, last_status="PENDING", health="UNKNOWN", digest=NEW, started_at=None
    )
    first.step, first.tag, first.digest = "watching", "v2", NEW
    first.progress = {
        "rollout": "IN_PROGRESS",
        "reason": "",
        "stage": "",
        "old": {"desired": old, "running": old, "pending": 0},
        "new": {"desired": most, "running": 0, "pending": new, "failed": 1},
        "tasks": rows,
        "tasks_total": len(rows),
        "target_counts": {"healthy": old, "initial": new},
        "breaker": {"enabled": True, "failures": 1, "threshold": 3, "status": "MONITORING"},
        "alarms": [
            {"name": "triflow-ai-production-alb-5xx-errors-above-one-percent", "state": "OK"},
            {"name": "triflow-ai-production-backend-no-running-tasks", "state": "INSUFFICIENT_DATA"},
        ],
        "traffic": {"new_percent": 10},
        "usual_seconds": 95,
    }
    first.progress_at = timezone.now()
    first.save()
    for part in rest:
        part.started_at = part.intended_at = None
        part.registered_arn = ""
        part.save()
    evidence(first)


def evidence(part: DeploymentPart, *, log: str = "Traceback (most recent call last):\n  MemoryError") -> None:
    """A migration that ran, a task that died, what ECS said of it."""
    now = timezone.now()
    OneOffTask.objects.create(
        part=part,
        purpose="before",
        name="migrate",
        command=["alembic", "upgrade", "head"],
        client_token="1",
        started_at=now - timedelta(minutes=4),
        finished_at=now - timedelta(minutes=3),
        exit_code=0,
        log_tail="INFO  [alembic.runtime.migration] Running upgrade 41 -> 42\n" * 5,
    )
    evidence_of_a_stop(part, log=log)
    for number in range(4):
        ServiceEvent.objects.create(
            part=part,
            event_id=str(number),
            at=now - timedelta(seconds=90 - number),
            message=f"(service {part.service}) has started 1 tasks: (task {uuid4().hex}).",
        )


def evidence_of_a_stop(part: DeploymentPart, *, log: str = "MemoryError") -> None:
    now = timezone.now()
    StoppedTask.objects.create(
        part=part,
        task_arn=f"{CLUSTER.replace(':cluster/', ':task/')}/{uuid4().hex}",
        task_definition_arn=revision(part.service, 2),
        stop_code="EssentialContainerExited",
        stopped_reason="Essential container in task exited",
        containers=[
            {
                "name": part.service,
                "exit_code": 137,
                "reason": "OutOfMemoryError: Container killed due to memory usage",
            }
        ],
        stopped_at=now - timedelta(seconds=40),
        diagnosis="oom",
        log_tail=log,
    )


def baking(change: Change) -> None:
    """Everything runs as approved, checks passed, the alarms are being watched."""
    for part in change.deployment.parts.all():
        part.step, part.tag, part.digest = "done", "v2", NEW
        part.finished_at = timezone.now() - timedelta(minutes=1)
        part.progress = {
            "rollout": "SUCCESSFUL",
            "old": {"desired": 0, "running": 0, "pending": 0},
            "new": {"desired": 2, "running": 2, "pending": 0, "failed": 0},
            "tasks": tasks(part.service, 2, 2, new=True, digest=NEW),
            "tasks_total": 2,
            "target_counts": {"healthy": 2},
            "alarms": [{"name": "triflow-ai-production-alb-5xx-errors-above-one-percent", "state": "OK"}],
            "usual_seconds": 95,
        }
        part.save()
        CheckResult.objects.create(part=part, name="health", ok=True, detail="answered 200 in 41 ms", tries=2)
    made = change.deployment
    made.bake_until = timezone.now() + timedelta(minutes=4)
    made.save()


def went_wrong(change: Change, outcome: str, reason: str) -> None:
    """The first service came to `outcome`, those after it were never touched."""
    for position, part in enumerate(change.deployment.parts.order_by("position")):
        part.outcome = outcome if position == 0 else "untouched"
        part.outcome_reason = reason if position == 0 else ""
        part.step = "done" if position == 0 else "waiting"
        part.save()
        if position == 0 and not part.one_off_tasks.exists():
            evidence(part)
