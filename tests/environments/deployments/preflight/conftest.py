"""Targets of a scene, and a preflight whose reads are laid out by the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from environments.deployments import images, preflight
from environments.deployments.preflight import look as looking
from environments.deployments.preflight.look import Look
from environments.deployments.services import service_of
from portal.aws.ecr import Image
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from portal.aws.task_definitions import registrable
from tests.environments.deployments.scene import Place

Findings = dict[str, dict[str, str]]


def denied(action: str) -> AwsError:
    return AwsError(
        f"The permission {action} is missing: no", code="AccessDenied", permanent=True, action=action
    )


def target_of(place: Place, key: str, tag: str = "v2", **more: Any) -> preflight.Target:
    """What proposing looks ahead with: this image on this service of the scene."""
    service = service_of(place.environment, key)
    assert service is not None
    running = place.described(key)
    answer = place.client("ecs").describe_task_definition(
        taskDefinition=running["taskDefinition"], include=["TAGS"]
    )
    definition = {**answer["taskDefinition"], "tags": answer.get("tags", [])}
    image = images.resolve(place.access, service, tag).image
    rendered = registrable(definition)
    rendered["containerDefinitions"] = [
        {**container, "image": image.reference} for container in rendered["containerDefinitions"]
    ]
    present = place.services[key].digests["v1"]
    fields = {"image": image, "rendered": rendered, "present_digest": present, "act": "deploy"} | more
    return preflight.Target(service, running, definition, **fields)


def looked(place: Place, *targets: preflight.Target) -> list[Findings]:
    """Key -> finding, for each target."""
    found = preflight.run(place.access, place.environment, targets)
    return [{row["key"]: row for row in rows} for rows in found]


def states(found: Findings) -> dict[str, str]:
    return {key: row["state"] for key, row in found.items()}


ACCESS = AccountAccess(
    "aws", "333333333333", "arn:aws:iam::333333333333:role/gatehouse", "", "ap-northeast-2"
)
ROLE = "arn:aws:iam::333333333333:role/execution"
REGISTRY = "333333333333.dkr.ecr.ap-northeast-2.amazonaws.com"
DIGEST = "sha256:" + "ab" * 32
PRESENT = "sha256:" + "cd" * 32

Lay = Callable[..., None]


@pytest.fixture
def lay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lay]:
    """`lay(free_addresses={...}, alarms=AwsError(...))`: what the reads of a preflight give, or raise."""

    def laid(**reads: Any) -> None:
        for name, answer in reads.items():

            def read(self: Look, *args: Any, _answer: Any = answer) -> Any:
                if isinstance(_answer, Exception):
                    raise _answer
                return _answer(*args) if callable(_answer) else _answer

            monkeypatch.setattr(looking.Look, name, read)

    return laid


def image(**more: Any) -> Image:
    fields: dict[str, Any] = {
        "repository_uri": f"{REGISTRY}/triflow-api",
        "digest": DIGEST,
        "tags": ("v2",),
        "pushed_at": None,
        "size": None,
        "scan": {},
        "platforms": ("linux/amd64",),
    }
    return Image(**fields | more)
