"""Is there a Fargate task of this CPU and memory, and do the containers fit into it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from environments.deployments.asked.sizes import FARGATE
from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, failing, ok


def findings(target: Target, look: Look) -> Iterator[Finding]:
    if not target.rendered or not target.on_fargate:
        return
    cpu, memory = number(target.rendered.get("cpu")), number(target.rendered.get("memory"))
    if cpu is None or memory is None or memory not in FARGATE.get(cpu, ()):
        offered = ", ".join(str(one) for one in FARGATE.get(cpu or 0, ())) or _("none")
        yield failing(
            "size",
            _("Fargate has no task with CPU %(cpu)s and memory %(memory)s.")
            % {"cpu": target.rendered.get("cpu"), "memory": target.rendered.get("memory")},
            _("With this CPU it offers %(offered)s MiB.") % {"offered": offered},
        )
        return
    parts = {"cpu": (cpu, "cpu"), "memory": (memory, "memoryReservation")}
    over = [name for name, (most, key) in parts.items() if _sum(target.containers, key) > most]
    if any((number(one.get("memory")) or 0) > memory for one in target.containers):
        over.append("memory")
    if over:
        yield failing(
            "size",
            _("The containers want more %(what)s than the task has.")
            % {"what": ", ".join(dict.fromkeys(over))},
            _("Give the task more, or the containers less."),
        )
    else:
        yield ok(
            "size",
            _("Fargate has a task with CPU %(cpu)d and %(memory)d MiB.") % {"cpu": cpu, "memory": memory},
        )


def number(said: Any) -> int | None:
    """A task definition's figure, which ECS takes as a number or as text."""
    try:
        return int(said)
    except (TypeError, ValueError):
        return None


def _sum(containers: list[dict[str, Any]], key: str) -> int:
    return sum(number(one.get(key)) or 0 for one in containers)
