"""Environments as the API answers them, many or one, in the same number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Max
from django.urls import reverse

from environments.abilities import abilities
from environments.models import Definition, Environment, Hold
from environments.permissions import roles_by_tenant
from environments.registry import Chip, registry
from portal.accounts.models import User

Plain = dict[str, Any]


def environments_as_json(rows: Sequence[Environment], user: User) -> list[Plain]:
    """Each with its newest definition's number, hold, verdicts and what this person may do.

    `rows` have `tenant`, `account` and `cloned_from__tenant` joined.
    """
    ids = [row.pk for row in rows]
    numbered = Definition.objects.filter(environment_id__in=ids).order_by().values_list("environment_id")
    numbers = dict(numbered.annotate(newest=Max("number")))
    standing = Hold.objects.active().filter(environment_id__in=ids, subject="").select_related("placed_by")
    holds = {hold.environment_id: hold for hold in standing}
    columns = [(column.key, column.cells(rows)) for column in registry.sorted_columns()]
    roles = roles_by_tenant(user, {row.tenant_id for row in rows})
    return [
        {
            **_facts(row),
            "definition": numbers.get(row.pk),
            "hold": _hold(holds.get(row.pk)),
            "status": {key: _verdict(cells[row.pk]) for key, cells in columns if row.pk in cells},
            "actions": {
                name: vars(ability)
                for name, ability in abilities(row, user, roles[row.tenant_id], holds.get(row.pk)).items()
            },
        }
        for row in rows
    ]


def _facts(row: Environment) -> Plain:
    return {
        "id": row.key,
        "tenant": row.tenant.slug,
        "tenant_name": row.tenant.name,
        "slug": row.slug,
        "name": row.name,
        "environment_class": row.environment_class,
        "description": row.description,
        "blueprint": row.blueprint,
        "account": row.account.account_id if row.account else None,
        "account_name": row.account.name if row.account else None,
        "sandbox": row.account is not None and row.account.is_sandbox,
        "region": row.region,
        "owner": row.owner,
        "repository": row.repository,
        "on_call": row.on_call,
        "links": row.links,
        "created_at": row.created_at,
        "retired_at": row.retired_at,
        "cloned_from": row.cloned_from.key if row.cloned_from else None,
        "url": reverse("environments:detail", args=[row.tenant.slug, row.slug]),
    }


def _hold(hold: Hold | None) -> Plain | None:
    if hold is None:
        return None
    return {
        "reason": hold.reason,
        "until": hold.until,
        "placed_by": hold.placed_by.username,
        "placed_at": hold.placed_at,
    }


def _verdict(chip: Chip) -> Plain:
    return {"state": chip.state, "text": chip.text, "at": chip.at}
