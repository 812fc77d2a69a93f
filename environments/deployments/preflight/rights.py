"""May the execution role pull the images and write the logs?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from django.utils.translation import gettext as _

from environments.deployments.asked.images import HOST, parse
from environments.deployments.preflight.log_groups import groups
from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, failing, ok, unknown
from portal.aws.rights import ALLOWED, EXPLICIT_DENY, UNJUDGED

SERVICE: Final = "ecs-tasks.amazonaws.com"
TOKEN: Final = ("ecr:GetAuthorizationToken",)
PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
WRITE: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
POLICY: Final = "AmazonECSTaskExecutionRolePolicy"


def findings(target: Target, look: Look) -> Iterator[Finding]:
    role = target.execution_role
    repositories = _repositories(target)
    if not role:
        if repositories and target.on_fargate:
            yield failing(
                "role",
                _("The task definition names no execution role; ECS cannot pull from ECR without one."),
                _("Set `execution_role_arn` in the blueprint's task definition."),
            )
        return
    trusted = look.trusted_services(role)
    if trusted is None:
        yield failing(
            "role",
            _("The execution role %(role)s does not exist.") % {"role": role},
            _("Run Terraform again."),
        )
        return
    if not {SERVICE, "*"} & trusted:
        yield failing(
            "role",
            _("ECS may not assume the execution role %(role)s.") % {"role": role},
            _("Its trust policy has to allow sts:AssumeRole to %(service)s.") % {"service": SERVICE},
        )
        return
    yield from _pulls(role, repositories, look)
    yield from _logs(target, role, look)


def _pulls(role: str, repositories: dict[str, str], look: Look) -> Iterator[Finding]:
    if not repositories:
        return
    refused = judged(look.decisions(role, TOKEN, ["*"]), lambda _resource: False)
    refused += judged(
        look.decisions(role, PULL, repositories), lambda arn: look.repository_has_policy(repositories[arn])
    )
    yield verdict(
        "pull",
        role,
        refused,
        good=_("The execution role may pull the images."),
        hint=_("Attach %(policy)s to the role, or allow these actions on the repository.")
        % {"policy": POLICY},
    )


def _logs(target: Target, role: str, look: Look) -> Iterator[Finding]:
    account = look.access.account_id
    streams = [
        f"arn:aws:logs:{group.region or look.access.region}:{account}:log-group:{group.name}:log-stream:new"
        for group in groups(target)
    ]
    if streams:
        yield verdict(
            "write_logs",
            role,
            judged(look.decisions(role, WRITE, streams), lambda _resource: False),
            good=_("The execution role may write the logs."),
            hint=_("Attach %(policy)s to the role, or allow these actions on the log group.")
            % {"policy": POLICY},
        )


def judged(
    decisions: dict[tuple[str, str], str], elsewhere: Callable[[str], bool]
) -> list[tuple[str, str, bool]]:
    """(action, resource, certain) of what the role's own policies do not allow.

    `elsewhere` tells whether the resource has a policy of its own, which may allow what the role's do not.
    """
    return [
        (action, resource, word == EXPLICIT_DENY or (word != UNJUDGED and not elsewhere(resource)))
        for (action, resource), word in decisions.items()
        if word != ALLOWED
    ]


def verdict(
    key: str, role: str, refused: Iterable[tuple[str, str, bool]], *, good: str, hint: str
) -> Finding:
    """One finding from what was refused: certain refusals fail, the others cannot be judged from here."""
    rows = list(refused)
    certain = [row for row in rows if row[2]]
    if not rows:
        return ok(key, good)
    told = ", ".join(sorted({f"{action} ({resource})" for action, resource, _sure in certain or rows}))
    words = {"role": role.rpartition("/")[2], "what": told}
    if certain:
        return failing(key, _("The execution role %(role)s may not: %(what)s.") % words, hint)
    return unknown(
        key,
        _(
            "Whether the execution role %(role)s may %(what)s cannot be judged from its own policies: "
            "a condition, or a policy on the other side, decides."
        )
        % words,
    )


def _repositories(target: Target) -> dict[str, str]:
    """ARN -> name of every ECR repository that the tasks pull from."""
    found: dict[str, str] = {}
    for container in target.containers:
        reference = parse(str(container.get("image") or ""))
        registry = HOST.fullmatch(reference.host) if reference else None
        if reference and registry:
            place = f"{registry['region']}:{registry['account']}"
            partition = "aws-cn" if registry["region"].startswith("cn-") else "aws"
            found[f"arn:{partition}:ecr:{place}:repository/{reference.repository}"] = reference.repository
    return found
