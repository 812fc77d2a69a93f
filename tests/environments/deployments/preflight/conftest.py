"""Targets of a scene, and a preflight whose reads are laid out by the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from environments.deployments import preflight
from environments.deployments.asked import images
from environments.deployments.preflight import look as looking
from environments.deployments.preflight.look import Look
from environments.deployments.services import Service, service_of
from portal.aws.task_definitions import registrable
from tests.environments.deployments.preflight.crafted import (
    ACCESS,
    PRESENT,
    WELL,
    declaration,
    definition,
    image,
    service_row,
)
from tests.environments.deployments.scene import Place

Findings = dict[str, dict[str, str]]


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


See = Callable[..., Findings]


@pytest.fixture
def see(lay) -> See:
    """The findings for one target, with these reads and fields instead of those where all is well."""

    def seen(
        reads: dict[str, Any] | None = None, declared: dict[str, Any] | None = None, **fields: Any
    ) -> Findings:
        lay(**WELL | (reads or {}))
        service = Service("module.a", "arn:api", "api", "arn:cluster", declaration(**declared or {}))
        target: dict[str, Any] = {
            "running_service": service_row(),
            "running_definition": definition(),
            "rendered": definition(),
            "image": image(),
            "present_digest": PRESENT,
            "act": "deploy",
        }
        rows = preflight.run(ACCESS, None, [preflight.Target(service, **target | fields)])[0]  # type: ignore[arg-type]
        assert len({row["key"] for row in rows}) == len(rows)
        return {row["key"]: row for row in rows}

    return seen
