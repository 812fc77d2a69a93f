"""ECS: services, their tasks, and the deployments that ECS makes of them. All answers are boto3's own shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call, pages
from portal.aws.task_definitions import fingerprint

# What one call takes at most.
SERVICES, TASKS, DEPLOYMENTS, REVISIONS = 10, 100, 20, 20
# So many revisions are compared before a new one is made.
LOOKED_THROUGH: Final = 5
# Answers of a region or a controller that has no service deployments (yet): unknown, no failure.
UNSUPPORTED: Final = frozenset(
    {"UnsupportedFeatureException", "UnknownOperationException", "UnknownOperation", "InvalidAction"}
)


def describe_services(access: AccountAccess, cluster_arn: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The services of these names or ARNs, as far as they are there; with their tags. Raises AwsError."""
    found: list[dict[str, Any]] = []
    for batch in _batches(names, SERVICES):
        answer = call(
            access, "ecs", "describe_services", cluster=cluster_arn, services=batch, include=["TAGS"]
        )
        found += answer.get("services", [])
    return found


def update_service(access: AccountAccess, **parameters: Any) -> dict[str, Any]:
    """UpdateService; the service as ECS answers with it. Raises AwsError."""
    service: dict[str, Any] = call(access, "ecs", "update_service", **parameters)["service"]
    return service


def run_task(access: AccountAccess, **parameters: Any) -> dict[str, Any]:
    """Start one task; the task. AwsError also where ECS says no in a list of failures."""
    answer = call(access, "ecs", "run_task", **parameters)
    if answer.get("tasks"):
        task: dict[str, Any] = answer["tasks"][0]
        return task
    failure: dict[str, Any] = next(iter(answer.get("failures") or []), {})
    reason = str(failure.get("reason") or "Unknown")
    said = " ".join(str(failure[name]) for name in ("reason", "detail") if failure.get(name))
    raise AwsError(f"RunTask: {said or reason}", code=reason, permanent=not reason.startswith("RESOURCE"))


def stop_task(access: AccountAccess, cluster: str, arn: str, reason: str) -> None:
    """Stop a task; `reason` is what it says afterwards. Raises AwsError."""
    call(access, "ecs", "stop_task", cluster=cluster, task=arn, reason=reason[:255])


def list_tasks(access: AccountAccess, cluster: str, service: str, desired_status: str) -> list[str]:
    """ARNs of a service's tasks of this desired status (RUNNING, STOPPED), all pages. Raises AwsError."""
    asked = {"cluster": cluster, "serviceName": service, "desiredStatus": desired_status}
    return [
        str(arn) for page in pages(access, "ecs", "list_tasks", **asked) for arn in page.get("taskArns", [])
    ]


def describe_tasks(access: AccountAccess, cluster: str, arns: Sequence[str]) -> list[dict[str, Any]]:
    """These tasks, as far as ECS still knows them (stopped ones for an hour). Raises AwsError."""
    found: list[dict[str, Any]] = []
    for batch in _batches(arns, TASKS):
        found += call(access, "ecs", "describe_tasks", cluster=cluster, tasks=batch).get("tasks", [])
    return found


def describe_service_deployments(access: AccountAccess, arns: Sequence[str]) -> list[dict[str, Any]]:
    """These service deployments; none where the region does not know them. Raises AwsError."""
    found: list[dict[str, Any]] = []
    for batch in _batches(arns, DEPLOYMENTS):
        found += _known(
            access,
            "describe_service_deployments",
            "serviceDeployments",
            serviceDeploymentArns=batch,
        )
    return found


def list_service_deployments(
    access: AccountAccess, cluster: str, service: str, limit: int
) -> list[dict[str, Any]]:
    """The newest service deployments in brief, `limit` at most; none where the region does not know them."""
    asked: dict[str, Any] = {"cluster": cluster, "service": service, "maxResults": min(limit, 100)}
    found: list[dict[str, Any]] = []
    try:
        # botocore has no paginator for it.
        while len(found) < limit:
            answer = call(access, "ecs", "list_service_deployments", **asked)
            found += answer.get("serviceDeployments", [])
            if not answer.get("nextToken"):
                break
            asked["nextToken"] = answer["nextToken"]
    except AwsError as refused:
        if refused.code not in UNSUPPORTED:
            raise
    return found[:limit]


def describe_service_revisions(access: AccountAccess, arns: Sequence[str]) -> list[dict[str, Any]]:
    """These service revisions; none where the region does not know them. Raises AwsError."""
    found: list[dict[str, Any]] = []
    for batch in _batches(arns, REVISIONS):
        found += _known(access, "describe_service_revisions", "serviceRevisions", serviceRevisionArns=batch)
    return found


def stop_service_deployment(access: AccountAccess, arn: str) -> None:
    """Stop a deployment under way and let ECS go back to where it came from. Raises AwsError."""
    call(access, "ecs", "stop_service_deployment", serviceDeploymentArn=arn, stopType="ROLLBACK")


def describe_task_definition(access: AccountAccess, arn: str) -> dict[str, Any]:
    """A task definition with its "tags" beside the rest. Raises AwsError."""
    answer = call(access, "ecs", "describe_task_definition", taskDefinition=arn, include=["TAGS"])
    found: dict[str, Any] = answer["taskDefinition"]
    return {**found, "tags": answer.get("tags") or []}


def register(access: AccountAccess, rendered: Mapping[str, Any]) -> str:
    """Register a new revision; its ARN. Raises AwsError."""
    # ECS takes no empty list of tags.
    asked = {name: value for name, value in rendered.items() if name != "tags" or value}
    return str(
        call(access, "ecs", "register_task_definition", **asked)["taskDefinition"]["taskDefinitionArn"]
    )


def active_revisions(access: AccountAccess, family: str, limit: int) -> list[str]:
    """ARNs of a family's newest ACTIVE revisions, the newest first. Raises AwsError."""
    answer = call(
        access,
        "ecs",
        "list_task_definitions",
        familyPrefix=family,
        status="ACTIVE",
        sort="DESC",
        maxResults=limit,
    )
    return [
        str(arn)
        for arn in answer.get("taskDefinitionArns", [])
        # The prefix of another family's name, where somebody else's implementation takes it for one.
        if str(arn).rpartition("/")[2].rpartition(":")[0] == family
    ][:limit]


def find_equal_revision(access: AccountAccess, rendered: Mapping[str, Any]) -> str:
    """The ARN of a recent ACTIVE revision with just this content; "" when there is none. Raises AwsError."""
    wanted = fingerprint(rendered)
    for arn in active_revisions(access, str(rendered["family"]), LOOKED_THROUGH):
        if fingerprint(describe_task_definition(access, arn)) == wanted:
            return arn
    return ""


def _known(access: AccountAccess, operation: str, key: str, **asked: Any) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = call(access, "ecs", operation, **asked).get(key, [])
    except AwsError as refused:
        if refused.code in UNSUPPORTED:
            return []
        raise
    return found


def _batches(names: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(names), size):
        yield list(names[start : start + size])
