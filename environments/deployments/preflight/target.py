"""What a preflight looks at, and the words its findings are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from environments.deployments.asked.images import container_of
from environments.deployments.services import Service
from portal.aws.ecr import Image

OK: Final = "ok"
WARNING: Final = "warning"
FAILING: Final = "failing"
UNKNOWN: Final = "unknown"

Finding = dict[str, str]


@dataclass(frozen=True)
class Target:
    """One service that a deployment is about to touch.

    `running_service` and `running_definition` are boto3's shapes, `rendered` what would be registered ({} when
    the running revision stays), `image` the one that would run (None when it stays), `present_digest` what
    runs now ("" when unknown), `desired` the count that is asked for (None: stays).
    """

    service: Service
    running_service: Mapping[str, Any]
    running_definition: Mapping[str, Any]
    rendered: Mapping[str, Any]
    image: Image | None
    present_digest: str
    act: str
    strategy: str = "rolling"
    desired: int | None = None

    @property
    def definition(self) -> Mapping[str, Any]:
        """The task definition whose tasks would be started."""
        return self.rendered or self.running_definition

    @property
    def containers(self) -> list[dict[str, Any]]:
        return list(self.definition.get("containerDefinitions") or [])

    @property
    def container(self) -> dict[str, Any]:
        """The container that the image is for; {} when the definition has none of its name."""
        return container_of(self.service.declaration.container, self.definition) or {}

    @property
    def execution_role(self) -> str:
        return str(self.definition.get("executionRoleArn") or "")

    @property
    def starts_tasks(self) -> bool:
        """Whether it needs tasks that do not run yet: fewer of them, or other bounds, need none."""
        if self.act != "scale":
            return True
        return self.desired is not None and self.desired > int(self.running_service.get("desiredCount") or 0)

    @property
    def on_fargate(self) -> bool:
        wanted = self.definition.get("requiresCompatibilities") or []
        return "FARGATE" in wanted or self.running_service.get("launchType") == "FARGATE"


def ok(key: str, text: str) -> Finding:
    return {"key": key, "state": OK, "text": text, "hint": ""}


def warning(key: str, text: str, hint: str = "") -> Finding:
    return {"key": key, "state": WARNING, "text": text, "hint": hint}


def failing(key: str, text: str, hint: str = "") -> Finding:
    """Proof that the deployment cannot work."""
    return {"key": key, "state": FAILING, "text": text, "hint": hint}


def unknown(key: str, text: str, hint: str = "") -> Finding:
    return {"key": key, "state": UNKNOWN, "text": text, "hint": hint}
