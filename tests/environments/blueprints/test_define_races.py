"""People who save at the same moment get numbers of their own, or are told of each other."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from environments.blueprints.actions import define
from environments.models import Definition, Environment
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from portal.core.errors import StaleState
from tests.cast import by

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 12


def together(job: Callable[[int], object]) -> list[object]:
    barrier = threading.Barrier(AT_ONCE)

    def run(number: int) -> object:
        try:
            barrier.wait()
            return job(number)
        except StaleState as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def saving(environment: Environment, operator: User, base: int | None) -> Callable[[int], object]:
    def save(number: int) -> object:
        return define(
            by=by(operator),
            environment=environment,
            variables={"name": f"service-{number}"},
            sensitive={"password": "correct horse battery"},
            base=base,
        )

    return save


def test_every_save_has_its_own_number(environment: Environment, operator: User) -> None:
    made = together(saving(environment, operator, None))
    assert all(isinstance(one, Definition) for one in made), made
    numbers = environment.definitions.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, AT_ONCE + 1))
    assert AuditEvent.objects.filter(action="definition.create", outcome="done").count() == AT_ONCE


def test_of_saves_from_the_same_start_one_counts(environment: Environment, operator: User) -> None:
    made = together(saving(environment, operator, 0))
    assert sum(isinstance(one, Definition) for one in made) == 1
    assert sum(isinstance(one, StaleState) for one in made) == AT_ONCE - 1
    assert environment.definitions.count() == 1
