from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from portal.audit import Actor, Target, TenantRef, record, triggers
from portal.audit.models import AuditEvent

KIM = Actor(
    id="7", name="Kim", kind="user", roles=("operator", "approver"), address="10.0.0.1", request_id="r-1"
)
TRIFLOW = TenantRef(id="triflow", name="TriFlow AI")


def write(action: str = "change.approve", tenant: TenantRef | None = TRIFLOW, **more: object) -> AuditEvent:
    with transaction.atomic():
        return record(
            actor=KIM, action=action, target=Target("change", "c-1", "Apply"), tenant=tenant, **more
        )


@pytest.fixture
def chain(db: None) -> list[AuditEvent]:
    """Ten events of one tenant, and three of the portal in between."""
    events = []
    for number in range(10):
        events.append(
            write(f"change.act{number}", before={"n": number}, after={"n": number + 1}, detail="why")
        )
        if number % 4 == 0:
            write("session.sign_in", tenant=None)
    return events


@contextmanager
def triggers_off() -> Iterator[None]:
    """What somebody with the rights of a database administrator can do."""
    triggers.drop(connection)
    yield
    triggers.install(connection)


@pytest.fixture
def tamper() -> Callable[..., None]:
    """Run SQL behind the log's back."""

    def run(statement: str, *values: object) -> None:
        with triggers_off(), connection.cursor() as cursor:
            cursor.execute(statement, values)

    return run
