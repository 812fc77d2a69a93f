"""From the state to what pages and status rooms look at: resources and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from environments.models import Environment, Resource
from environments.runs import known_secrets
from environments.runs.models import Output
from environments.runs.states import store
from portal.terraform.state import State, StateResource, read_state


def refresh(environment: Environment) -> int:
    """Make resources and outputs equal to the newest state; returns the number of resources."""
    version = store.current(environment)
    if version is None:
        return 0
    document = read_state(version.content, known=known_secrets.of_environment(environment))
    with transaction.atomic():
        count = _resources(environment, document)
        _outputs(environment, document)
    return count


def _resources(environment: Environment, document: State) -> int:
    now = timezone.now()
    rows = [
        Resource(
            environment=environment,
            address=one.address[:500],
            module=one.module[:300],
            type=one.type[:120],
            name=one.name[:200],
            provider_id=str(one.id)[:1024],
            arn=str(one.arn)[:1024],
            region=str(one.region)[:30],
            attributes=plain(one.attributes),
            first_seen_at=now,
            seen_at=now,
        )
        for one in _current(document)
    ]
    Resource.objects.bulk_create(
        rows,
        batch_size=200,
        update_conflicts=True,
        unique_fields=["environment", "address"],
        update_fields=["module", "type", "name", "provider_id", "arn", "region", "attributes", "seen_at"],
    )
    Resource.objects.filter(environment=environment, seen_at__lt=now).delete()
    return len(rows)


def _current(document: State) -> Iterable[StateResource]:
    """One instance an address: beside an object that a replacement left behind, the one that replaced it."""
    found: dict[str, StateResource] = {}
    for one in document.managed:
        address = one.address[:500]
        if address not in found or found[address].deposed:
            found[address] = one
    return found.values()


def _outputs(environment: Environment, document: State) -> None:
    now = timezone.now()
    for one in document.outputs:
        Output.objects.update_or_create(
            environment=environment,
            name=one.name[:120],
            defaults={"sensitive": one.sensitive, "type": one.type, "value": one.value, "read_at": now},
        )
    Output.objects.filter(environment=environment, read_at__lt=now).delete()


def outputs_of(environment: Environment) -> dict[str, Any]:
    """name -> value of the outputs of the last apply that are not sensitive."""
    return {row.name: row.value for row in Output.objects.filter(environment=environment, sensitive=False)}


def outputs_named(ids: Sequence[int], name: str) -> dict[int, Any]:
    """environment (primary key) -> value of its output of this name, where it has one that is not sensitive."""
    found = Output.objects.filter(environment_id__in=ids, name=name, sensitive=False)
    return dict(found.values_list("environment_id", "value"))


def plain(value: Any) -> Any:
    """The value as a database's JSON can hold it: PostgreSQL's takes neither NUL nor half a character."""
    if isinstance(value, dict):
        return {plain(str(key)): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value).replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
