"""Reads of resource changes and state versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, QuerySet

if TYPE_CHECKING:
    from environments.runs.models import ResourceChange, StateVersion  # noqa: F401 - named by strings in base classes


class ResourceChangeQuerySet(QuerySet["ResourceChange"]):
    def altering(self) -> ResourceChangeQuerySet:
        """Without what is only read."""
        return self.exclude(action="read")

    def counts(self) -> dict[str, int]:
        """Number of resources by action."""
        rows = self.order_by().values("action").annotate(n=Count("pk"))
        return {row["action"]: row["n"] for row in rows}


class StateVersionQuerySet(QuerySet["StateVersion"]):
    def newest(self) -> StateVersion | None:
        return self.order_by("-number").first()

    def light(self) -> StateVersionQuerySet:
        """Without the content: for lists."""
        return self.defer("content")
