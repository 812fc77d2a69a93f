"""Reads for the pages and the API of this room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery

from environments.blueprints.models import BlueprintSnapshot
from environments.blueprints.variables import Variable
from environments.models import Definition, Environment
from environments.registry import registry
from portal.accounts.models import User


@dataclass(frozen=True)
class Pending:
    """An open change that uses an older definition than the newest."""

    title: str
    link: str
    number: int


def environments_using(user: User, slug: str) -> QuerySet[Any, Any]:
    """The environments this person may see that are built from a blueprint, with their newest definition.

    Rows: name, slug, tenant__name, tenant__slug, number, snapshot (both None before the first definition).
    """
    newest = Definition.objects.filter(environment=OuterRef("pk")).order_by("-number")
    found: QuerySet[Environment] = Environment.objects.visible_to(user).active()
    return (
        found.filter(blueprint=slug)
        .order_by("tenant__name", "slug")
        .values("name", "slug", "tenant__name", "tenant__slug")
        .annotate(
            number=Subquery(newest.values("number")[:1]), snapshot=Subquery(newest.values("snapshot")[:1])
        )
    )


def users_per_blueprint(user: User) -> dict[str, int]:
    """slug -> how many environments this person may see use it."""
    found = Environment.objects.visible_to(user).active().exclude(blueprint="").order_by()
    return dict(found.values_list("blueprint").annotate(n=Count("pk")).values_list("blueprint", "n"))


def definitions_of(environment: Environment) -> QuerySet[Definition]:
    """Newest first, without the secrets: a list has no use for them."""
    return (
        Definition.objects.filter(environment=environment)
        .select_related("author", "environment__tenant")
        .defer("sensitive")
        .order_by("-number")
    )


def pending_on_older(environment: Environment, newest: int) -> list[Pending]:
    """Open changes that a newer definition does not touch: they use the one they were requested with."""
    found = [Pending(*row) for ask in registry.pending for row in ask(environment)]
    return [row for row in found if row.number < newest]


def schemas_of(definitions: Iterable[Definition]) -> dict[str, tuple[Variable, ...]]:
    """snapshot digest -> variables, for many definitions in one query."""
    digests = {definition.snapshot for definition in definitions}
    found = BlueprintSnapshot.objects.filter(digest__in=digests).only("digest", "variables")
    return {snapshot.digest: snapshot.schema for snapshot in found}
