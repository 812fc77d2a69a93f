"""Invented deployments for the style guide, in the shapes that templates/deployments take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from environments.deployments.history.dora import Dora, Sample
from environments.deployments.history.facts import Fact
from environments.deployments.history.figures import figures

DIGEST = "sha256:" + "7f3a" * 16


def context(now: datetime) -> dict[str, Any]:
    """A rollout under way, a proposal, a service in each state, who owns what, the four figures."""
    return {
        "moving": _moving(now),
        "shown": _proposal(now),
        "lines": [_line(number, state, text, now) for number, (state, text) in enumerate(STATES)],
        "ownership": OWNERSHIP,
        "figures": figures(_dora(now), 30),
        "unknown_figures": figures(Dora(now - timedelta(days=30), now, None), 30),
        "days": 30,
        "all_days": (30, 90),
    }


STATES = (
    ("failing", "0 of 2 tasks run"),
    ("attention", "Runs what nobody deployed from here"),
    ("progress", "Rolling out"),
    ("unknown", "Unknown since the last look"),
    ("healthy", "Healthy"),
)
OWNERSHIP = [
    {
        "service": "backend",
        "rows": [
            {
                "field": "image",
                "owner": "deployment",
                "owner_word": "Deployments",
                "value": "v2 · 7f3a7f3a7f3a",
                "source": "“Deploy v2 to backend in TriFlow AI production” by Sora Choi",
            },
            {
                "field": "memory",
                "owner": "terraform",
                "owner_word": "Terraform",
                "value": "1024",
                "source": "Terraform's newest revision, triflow-ai-production-backend:7",
            },
        ],
        "problems": ["“checks” has to be a list."],
    }
]


PREFLIGHT = [
    {"chip": "healthy", "word": "Fine", "text": "The image is there and fits.", "hint": ""},
    {
        "chip": "attention",
        "word": "Needs attention",
        "text": "An alarm fires already.",
        "hint": "Look at it first.",
    },
    {
        "chip": "unknown",
        "word": "Unknown",
        "text": "Whether the role may pull it is not known.",
        "hint": "",
    },
]


def _moving(now: datetime) -> dict[str, Any]:
    return {
        "part": {
            "pk": 1,
            "service": "backend",
            "started_at": now - timedelta(minutes=3),
            "outcome": "",
        },
        "state": "progress",
        "word": "Rolling out",
        "steps": [
            ("healthy", "Registering the task definition"),
            ("progress", "Rolling out"),
            ("quiet", "Proving"),
        ],
        "image": "v2 · 7f3a7f3a7f3a",
        "revision": "triflow-ai-production-backend:8",
        "bars": [
            {"label": "New", "running": 1, "wanted": 4, "pending": 2, "failed": 1, "most": 4},
            {"label": "Old", "running": 4, "wanted": 4, "pending": 0, "failed": 0, "most": 4},
        ],
        "targets": [("failing", "unhealthy", 1), ("progress", "initial", 2), ("healthy", "healthy", 4)],
        "traffic": 10,
        "breaker": {"enabled": True, "failures": 1, "threshold": 3},
        "alarms": [("healthy", "quiet", "backend-5xx"), ("unknown", "no data", "backend-latency")],
        "usual_seconds": 80,
        "took_long": True,
        "stale": False,
        "evidence": _evidence(now),
        "tasks": [_task(now, new=True), _task(now, new=False)],
        "tasks_more": 98,
        "tasks_id": "style-tasks",
        "tasks_note": "1 new, 1 old",
    }


def _task(now: datetime, *, new: bool) -> dict[str, Any]:
    return {
        "id": "0a1b2c3d4e5f",
        "arn": "arn:aws:ecs:…:task/0a1b2c3d4e5f",
        "new": new,
        "state": "progress" if new else "healthy",
        "word": "Starting" if new else "Running",
        "health": "not told" if new else "healthy",
        "health_state": "unknown" if new else "healthy",
        "digest": "7f3a7f3a7f3a",
        "full_digest": DIGEST,
        "revision": f"triflow-ai-production-backend:{8 if new else 7}",
        "zone": "ap-northeast-2a",
        "started_at": None if new else now - timedelta(hours=7),
    }


def _evidence(now: datetime) -> dict[str, Any]:
    return {
        "one_off": [
            {
                "state": "healthy",
                "word": "Done",
                "fold_id": "style-migration",
                "row": {
                    "name": "migrate",
                    "command": ["alembic", "upgrade", "head"],
                    "started_at": now - timedelta(minutes=4),
                    "finished_at": now - timedelta(minutes=3),
                    "log_tail": "INFO  [alembic.runtime.migration] Running upgrade 41 -> 42",
                },
            }
        ],
        "checks": [("failing", "Failed", {"name": "health", "detail": "answered 503", "tries": 4})],
        "stopped": [
            {
                "id": "9f8e7d6c",
                "count": 3,
                "exits": "backend 137",
                "says": "OutOfMemoryError: Container killed due to memory usage",
                "fold_id": "style-stopped",
                "diagnosis": {
                    "title": "Out of memory",
                    "cause": "The container used more memory than its limit and was killed (exit code 137).",
                    "remedy": "Raise the memory of the container or the task.",
                },
                "row": {"stopped_at": now - timedelta(seconds=50), "log_tail": "MemoryError"},
            }
        ],
        "events": [({"at": now, "message": "(service backend) has started 2 tasks."}, None)],
        "fold_id": "style-events",
        "newest_event": "(service backend) has started 2 tasks.",
    }


def _proposal(now: datetime) -> dict[str, Any]:
    return {
        "service": "backend",
        "link": "#deployments",
        "proposal": {"pk": 1, "tag": "v2", "digest": DIGEST, "repository": "triflow-ai-backend"},
        "running": "triflow-ai-production-backend:7",
        "running_image": "11aa22bb33cc",
        "image": "v2",
        "labels_id": "style-labels",
        "containers": [
            {
                "name": "backend",
                "rows": [
                    {
                        "path": "image",
                        "owner": "deployment",
                        "owner_word": "Deployments",
                        "source": "as asked",
                        "before": "backend:v1",
                        "after": "backend:v2",
                    },
                    {
                        "path": "environment.API_KEY",
                        "owner": "terraform",
                        "owner_word": "Terraform",
                        "sensitive": True,
                        "changed": True,
                    },
                ],
            }
        ],
        "facts": {
            "known": True,
            "pushed_at": now - timedelta(hours=2),
            "size": 182_400_000,
            "platforms": ["linux/amd64"],
            "scanned": True,
            "findings": [("critical", 1, True), ("medium", 7, False)],
            "commits": {"from": "a1a1a1a1a1a1", "to": "b2b2b2b2b2b2", "url": "https://github.com/"},
            "labels": [("org.opencontainers.image.revision", "b2b2b2b2b2b2")],
        },
        "preflight": PREFLIGHT,
    }


def _line(number: int, state: str, text: str, now: datetime) -> dict[str, Any]:
    return {
        "link": "#deployments",
        "service": {"name": f"service-{number}"},
        "verdict": {
            "state": state,
            "text": text,
            "why": "" if state == "healthy" else "A sentence that says why.",
        },
        "status": {
            "taken_at": now - timedelta(seconds=40 if state != "unknown" else 9000),
            "running": 2,
            "desired": 2,
            "error": "The permission ecs:DescribeTasks is missing." if state == "attention" else "",
        },
        "image": "v2 · 7f3a7f3a7f3a",
        "revision": "triflow-ai-production-backend:8",
        "bounds": "2 – 6",
        "buttons": [
            {"label": "Deploy", "url": "#deployments"},
            {"label": "Roll back", "url": "#deployments"},
        ],
    }


def _dora(now: datetime) -> Dora:
    facts = [
        Fact(
            number,
            "arn",
            "deploy",
            number != 3,
            "rolled_back" if number == 3 else "succeeded",
            "",
            at,
            at,
            at,
            title=f"Deploy build-{number}",
        )
        for number, at in enumerate(now - timedelta(days=days) for days in (27, 21, 16, 9, 4, 2))
    ]
    samples = [
        Sample(fact.ended_at, 3600.0 * (3 + fact.pk), fact, "pushed") for fact in facts if fact.succeeded
    ]
    return Dora(
        since=now - timedelta(days=30),
        until=now,
        recorded_since=now - timedelta(days=60),
        successes=[fact for fact in facts if fact.succeeded],
        failures=[facts[3]],
        lead_times=samples,
        restores=[Sample(facts[3].ended_at, 240.0, facts[3], "rolled_back")],
    )
