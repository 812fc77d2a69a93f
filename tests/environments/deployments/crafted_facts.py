"""What a crafted proposal says: an image's facts, what differs, what was checked before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REGION, ACCOUNT = "ap-northeast-2", "210000000001"
OLD, NEW = "sha256:" + "1a" * 32, "sha256:" + "2b" * 32

FACTS: Mapping[str, Any] = {
    "pushed_at": "2026-11-19T08:00:00+00:00",
    "size": 182_400_000,
    "platforms": ["linux/amd64", "linux/arm64"],
    "scan": {"CRITICAL": 1, "MEDIUM": 7},
    "labels": {
        "org.opencontainers.image.source": "https://github.com/mugoori/TriFlow-AI",
        "org.opencontainers.image.revision": "b2" * 20,
        "org.opencontainers.image.created": "2026-11-19T07:30:00+00:00",
    },
    "commits": {
        "from": "a1" * 20,
        "to": "b2" * 20,
        "url": f"https://github.com/mugoori/TriFlow-AI/compare/{'a1' * 20}...{'b2' * 20}",
    },
}
DIFFERENCE: list[dict[str, Any]] = [
    {
        "path": "image",
        "owner": "deployment",
        "source": "request",
        "before": f"backend@{OLD}",
        "after": f"backend@{NEW}",
    },
    {
        "path": "environment.LOG_LEVEL",
        "owner": "deployment",
        "source": "request",
        "before": "info",
        "after": "debug",
    },
    {
        "path": "secrets.DATABASE_URL",
        "owner": "terraform",
        "source": "terraform",
        "before": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:triflow-ai-production-database-url-AbCdEf",
        "after": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:triflow-ai-production-database-url-GhIjKl",
    },
    {
        "path": "environment.API_KEY",
        "owner": "deployment",
        "before": "old-secret-value",
        "after": "new-secret-value",
        "sensitive": True,
    },
]
PREFLIGHT: list[dict[str, str]] = [
    {"key": "image", "state": "ok", "text": "The image is there and fits linux/amd64.", "hint": ""},
    {"key": "pull", "state": "ok", "text": "The execution role may pull it.", "hint": ""},
    {
        "key": "lifecycle",
        "state": "warning",
        "text": "A lifecycle rule of the repository deletes the present image in 3 days; the way back would be gone.",
        "hint": "Tag it so that the rule spares it.",
    },
    {
        "key": "alarms",
        "state": "unknown",
        "text": "The permission cloudwatch:DescribeAlarms is missing: nobody knows whether an alarm fires already.",
        "hint": "Add cloudwatch:DescribeAlarms to the policy of the role that the portal assumes.",
    },
]
