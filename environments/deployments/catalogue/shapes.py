"""What an entry of the catalogue is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class Facts:
    """What is known of a stop; texts in small letters."""

    text: str
    code: str = ""
    exits: frozenset[int] = frozenset()
    log: str = ""

    def says(self, *parts: str) -> bool:
        """Whether AWS's words hold one of these."""
        return any(part in self.text for part in parts)

    def logged(self, *parts: str) -> bool:
        """Whether the container's last lines hold one of these."""
        return any(part in self.log for part in parts)


@dataclass(frozen=True)
class Diagnosis:
    """What happened, why, and what to do. `normal`: no trouble at all, ECS took the task away."""

    key: str
    title: str | Promise
    cause: str | Promise
    remedy: str | Promise
    normal: bool = False


@dataclass(frozen=True)
class Entry:
    """One cause and how it is recognised."""

    diagnosis: Diagnosis
    fits: Callable[[Facts], bool]

    @property
    def key(self) -> str:
        return self.diagnosis.key


def entry(
    key: str,
    title: Promise | str,
    cause: Promise | str,
    remedy: Promise | str,
    fits: Callable[[Facts], bool],
    *,
    normal: bool = False,
) -> Entry:
    return Entry(Diagnosis(key, title, cause, remedy, normal), fits)


def about_pulling(facts: Facts) -> bool:
    return facts.says("cannotpull", "pull image", "pulling image")


def denied(facts: Facts) -> bool:
    return facts.says("accessdenied", "access denied", "not authorized", "unauthorized", "status code: 403")
