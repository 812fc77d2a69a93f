"""Services and their deployments for the browser: one of every state, in an environment of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from environments.changes.models import Change
from environments.models import Environment
from portal.accounts.models import User
from tests.environments.deployments import crafted

TRACE = """Traceback (most recent call last):
  File "/app/main.py", line 41, in lifespan
    await database.connect()
asyncpg.exceptions.CannotConnectNowError: the database system is starting up
"""


def furnish(place: Environment, people: dict[str, User]) -> dict[str, Change]:
    """Services in every state of health, and a change of kind deployment for each screen."""
    asker, approver = people["operator"], people["approver"]
    crafted.services(
        place, "onno-api", "onno-ws", "onno-worker", "a-service-nobody-has-looked-at", terraform=1
    )
    _health(place)
    _history(place, asker, approver)
    found = {
        state: crafted.deployment(place, asker, state, "onno-api", "onno-ws")
        for state in ("proposing", "awaiting_approval")
    }
    found["executing"] = crafted.deployment(
        place, asker, "executing", "onno-api", "onno-ws", strategy="canary"
    )
    crafted.rolling_out(found["executing"], new=12, old=24, most=24)
    found["baking"] = crafted.deployment(place, asker, "verifying", "onno-api", "onno-ws")
    crafted.baking(found["baking"])
    error: dict[str, Any] = {
        "error_kind": "tool",
        "error_message": "Out of memory: 3 tasks of onno-api were killed (exit code 137).\nAWS says: OutOfMemoryError",
        "error_hint": "Raise the memory of the container, or find what takes so much.",
    }
    for name, status, outcome in (
        ("rolled-back", "failed", "rolled_back"),
        ("left", "failed", "rollback_failed"),
        ("regressed", "regressed", "rolled_back"),
    ):
        found[name] = crafted.deployment(place, asker, status, "onno-api", "onno-ws", **error)
        crafted.went_wrong(found[name], outcome, "New tasks kept failing, so ECS went back by itself.")
        for _each in range(2):
            crafted.evidence_of_a_stop(found[name].deployment.parts.all()[0], log=TRACE)
    found["deployed"] = crafted.deployment(
        place, asker, "succeeded", "onno-api", "onno-ws", approver=approver, ended=timezone.now()
    )
    crafted.baking(found["deployed"])
    return found


def _health(place: Environment) -> None:
    now = timezone.now()
    crafted.status(place, "onno-api")
    crafted.status(place, "onno-ws", running=0, short_since=now - timedelta(minutes=20), tasks=[])
    crafted.status(
        place,
        "onno-worker",
        out_of_band=True,
        task_definition_arn=crafted.revision("onno-worker", 9),
        error="The permission application-autoscaling:DescribeScalableTargets is missing: User is not authorized. "
        "Add application-autoscaling:DescribeScalableTargets to the policy of the role.",
        error_at=now,
    )


def _history(place: Environment, asker: User, approver: User) -> None:
    """A quarter of deployments: mostly fine, one rolled back by itself, one by a person."""
    for number, days in enumerate((80, 71, 63, 55, 47, 40, 33, 26, 21, 17, 12, 8, 5, 2)):
        ended = timezone.now() - timedelta(days=days)
        state = "failed" if number in (4, 10) else "succeeded"
        change = crafted.deployment(
            place,
            asker,
            state,
            "onno-api",
            act="rollback" if number == 8 else "deploy",
            tag=f"build-{number}",
            digest=f"sha256:{number:064x}",
            ended=ended,
            approver=approver,
            image={"pushed_at": (ended - timedelta(hours=3 + number)).isoformat(), "size": 1, "scan": {}},
        )
        if state == "failed":
            crafted.went_wrong(change, "rolled_back", "New tasks kept failing.")


def pages(changes: dict[str, Change], here: str) -> list[tuple[str, str]]:
    """Name and address of each page to look at."""
    return [
        *((f"deployment-{name}", f"/changes/{change.uuid}/") for name, change in changes.items()),
        ("services", here + "services/"),
        ("service", here + "service/onno-api/?days=90"),
        ("service-odd", here + "service/onno-worker/"),
        ("deployment-history", here + "deployments/"),
        ("deployment-request", here + "deployments/new/?service=onno-api"),
        ("deployment-restart", here + "deployments/restart/"),
        ("deployment-promote", here + "deployments/promote/"),
        ("deployment-scale", here + "deployments/scale/?service=onno-api"),
    ]


DARK = {"deployment-awaiting_approval", "deployment-executing", "deployment-left", "services", "service"}
