"""Four eyes for definitions: who wrote what a run would apply does not approve it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Definition
from environments.runs.models import Mode
from portal.accounts.models import User


def _last_applied(environment: Any, kind: str) -> Any:
    """Numbers of the definitions applied in this environment, the last one first."""
    applied = Change.objects.filter(
        environment=environment, kind=kind, status=Status.SUCCEEDED, terraform_run__mode=Mode.APPLY
    )
    return applied.order_by("-finished_at").values_list("terraform_run__definition__number", flat=True)


def authors(change: Change) -> Mapping[int, str]:
    """Authors of the definitions between the last applied one and this run's: user id -> why."""
    applied = _last_applied(change.environment, change.kind).first() or 0
    written = Definition.objects.filter(
        environment=change.environment,
        number__gt=applied,
        number__lte=change.terraform_run.definition.number,
    )
    reason = _("You wrote a definition that this change would apply; somebody else has to approve it.")
    return dict.fromkeys(written.values_list("author_id", flat=True), reason)


def written_by(changes: Sequence[Change], user: User) -> set[int]:
    """Those of these runs (primary keys) of which the person is an author, in one query for all."""
    if not changes:
        return set()
    rows = Change.objects.filter(pk__in=[change.pk for change in changes]).annotate(
        applied=Coalesce(Subquery(_last_applied(OuterRef("environment"), changes[0].kind)[:1]), 0)
    )
    written = Definition.objects.filter(
        environment=OuterRef("environment"),
        author=user,
        number__gt=OuterRef("applied"),
        number__lte=OuterRef("terraform_run__definition__number"),
    )
    return set(rows.filter(Exists(written)).values_list("pk", flat=True))
