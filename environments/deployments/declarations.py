"""What a blueprint says of its services: the output `deployments` of its root module.

    output "deployments" {
      value = {
        backend = {                              # the service's short name, any
          service_arn     = "arn:aws:ecs:..."    # required
          container       = "backend"            # the container that images and settings are for; required
          repository      = "triflow-ai-backend" # ECR repository in the same account; may be null
          task_definition = "arn:aws:ecs:..."    # Terraform's newest revision; may be null
          deployment_owns = ["image", "cpu", "memory", "environment.LOG_LEVEL", "environment.*"]
          order           = 1                    # several services in one change go in this order
          strategies      = ["rolling", "blue_green", "canary", "linear"]
          blue_green      = {                    # null without a second target group
            target_group_arn, alternate_target_group_arn, production_listener_rule_arn, test_listener_rule_arn, role_arn
          }
          alarms          = ["name", ...]        # watched while it is deployed and while it bakes
          bake_minutes    = 5
          before          = { name = "migrate", container = "backend", command = ["alembic", "upgrade", "head"] } # null
          checks          = [
            { name = "health", url = "https://...", status = 200 },
            { name = "extension exists", container = "backend", command = ["..."] },
          ]
        }
      }
    }

Without the output a service is still found in the inventory: its first container, the image alone owned by
deployments, rolling only, no checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _

OUTPUT: Final = "deployments"
STRATEGIES: Final = ("rolling", "blue_green", "canary", "linear")
SETTINGS: Final = ("image", "cpu", "memory")


@dataclass(frozen=True)
class BlueGreen:
    """What ECS needs to move traffic between two target groups; ARNs."""

    target_group_arn: str
    alternate_target_group_arn: str
    production_listener_rule_arn: str
    role_arn: str
    test_listener_rule_arn: str = ""


@dataclass(frozen=True)
class DeclaredTask:
    """A one-off task of the service's own task definition with another command."""

    name: str
    command: tuple[str, ...]
    container: str = ""


@dataclass(frozen=True)
class DeclaredCheck:
    """Either a URL that has to answer with `status`, or a one-off task that has to end with exit code 0."""

    name: str
    url: str = ""
    status: int = 200
    task: DeclaredTask | None = None


@dataclass(frozen=True)
class Declaration:
    """What the blueprint says of one service; `problems` are what of it could not be read, in words."""

    key: str
    service_arn: str
    container: str = ""
    repository: str = ""
    task_definition: str = ""
    deployment_owns: frozenset[str] = frozenset({"image"})
    order: int = 100
    strategies: tuple[str, ...] = ("rolling",)
    blue_green: BlueGreen | None = None
    alarms: tuple[str, ...] = ()
    bake_seconds: int = 0
    before: DeclaredTask | None = None
    checks: tuple[DeclaredCheck, ...] = ()
    problems: tuple[str, ...] = field(default=())

    def owns(self, path: str) -> bool:
        """Whether deployments own this field: "image", "cpu", "memory" or "environment.NAME"; "environment.A_*" owns many."""
        return any(
            path.startswith(owned[:-1]) if owned.endswith("*") else path == owned
            for owned in self.deployment_owns
        )


def read(output: Any) -> dict[str, Declaration]:
    """Service ARN -> its declaration, from the value of the output; wrong parts become `problems`, never an error."""
    if not isinstance(output, Mapping):
        return {}
    found: dict[str, Declaration] = {}
    for key, raw in output.items():
        if isinstance(raw, Mapping) and isinstance(raw.get("service_arn"), str) and raw["service_arn"]:
            found[raw["service_arn"]] = _one(str(key), raw)
    return found


def _one(key: str, raw: Mapping[str, Any]) -> Declaration:
    problems: list[str] = []
    blue_green = _blue_green(raw.get("blue_green"), problems)
    strategies = tuple(name for name in STRATEGIES if name in _texts(raw, "strategies", problems))
    return Declaration(
        key=key,
        service_arn=raw["service_arn"],
        container=_text(raw, "container"),
        repository=_text(raw, "repository"),
        task_definition=_text(raw, "task_definition"),
        deployment_owns=frozenset(_texts(raw, "deployment_owns", problems)) | {"image"},
        order=int(_number(raw, "order", 100, problems)),
        strategies=tuple(name for name in strategies if name == "rolling" or blue_green) or ("rolling",),
        blue_green=blue_green,
        alarms=_texts(raw, "alarms", problems),
        bake_seconds=round(60 * _number(raw, "bake_minutes", 0, problems)),
        before=_task(raw.get("before"), "before", problems),
        checks=_checks(raw.get("checks"), problems),
        problems=tuple(problems),
    )


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def _texts(raw: Mapping[str, Any], name: str, problems: list[str]) -> tuple[str, ...]:
    value = raw.get(name)
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    problems.append(_("“%(name)s” has to be a list of texts.") % {"name": name})
    return ()


def _number(raw: Mapping[str, Any], name: str, default: float, problems: list[str]) -> float:
    value = raw.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10_000:
        problems.append(_("“%(name)s” has to be a number from 0 to 10000.") % {"name": name})
        return default
    return value


def _blue_green(raw: Any, problems: list[str]) -> BlueGreen | None:
    if raw is None:
        return None
    needed = ("target_group_arn", "alternate_target_group_arn", "production_listener_rule_arn", "role_arn")
    if not isinstance(raw, Mapping) or not all(_text(raw, name) for name in needed):
        problems.append(_("“blue_green” needs %(names)s.") % {"names": ", ".join(needed)})
        return None
    return BlueGreen(
        **{name: raw[name] for name in needed},
        test_listener_rule_arn=_text(raw, "test_listener_rule_arn"),
    )


def _task(raw: Any, at: str, problems: list[str]) -> DeclaredTask | None:
    if raw is None:
        return None
    command = raw.get("command") if isinstance(raw, Mapping) else None
    if not isinstance(command, list) or not command or not all(isinstance(one, str) for one in command):
        problems.append(_("“%(name)s” needs a command: a list of texts.") % {"name": at})
        return None
    return DeclaredTask(_text(raw, "name") or at, tuple(command), _text(raw, "container"))


def _checks(raw: Any, problems: list[str]) -> tuple[DeclaredCheck, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        problems.append(_("“checks” has to be a list."))
        return ()
    found: list[DeclaredCheck] = []
    for number, one in enumerate(raw):
        at = f"checks.{number}"
        url = _text(one, "url") if isinstance(one, Mapping) else ""
        if url.startswith(("https://", "http://")):
            status = int(_number(one, "status", 200, problems))
            found.append(DeclaredCheck(_text(one, "name") or url, url=url, status=status))
        elif isinstance(one, Mapping) and (task := _task(one, at, problems)):
            found.append(DeclaredCheck(task.name, task=task))
        elif not isinstance(one, Mapping):
            problems.append(_("“%(name)s” needs a url or a command.") % {"name": at})
    return tuple(found)
