"""The sizes of a task that Fargate knows: CPU units (1024 are one vCPU) and MiB of memory.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

FARGATE: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}


def problem(cpu: int | None, memory: int | None) -> str:
    """Why Fargate takes no task of this size, with what it does take; empty when it takes it. None: not said."""
    if cpu is not None and cpu not in FARGATE:
        sizes = ", ".join(map(str, FARGATE))
        return _("Fargate knows no task with %(cpu)s CPU units; use one of %(sizes)s.") % {
            "cpu": cpu,
            "sizes": sizes,
        }
    if memory is None or any(memory in FARGATE[one] for one in ([cpu] if cpu is not None else FARGATE)):
        return ""
    if cpu is None:
        return _("Fargate knows no task with %(memory)s MiB; use 512 or a multiple of 1024.") % {
            "memory": memory
        }
    known = FARGATE[cpu]
    step = known[-1] - known[-2]
    return _(
        "With %(cpu)s CPU units Fargate gives %(least)s to %(most)s MiB in steps of %(step)s, not %(memory)s."
    ) % {"cpu": cpu, "memory": memory, "least": known[0], "most": known[-1], "step": step}
