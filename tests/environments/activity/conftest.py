"""Events in three chains: two tenants and the portal."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from portal import audit
from portal.audit import Actor, Target, TenantRef
from portal.audit.models import AuditEvent

Write = Callable[..., AuditEvent]
OSKAR = Actor("operator", "Oskar Operator", "user", ("operator",), "192.0.2.77", "req-1")


def write(action: str = "change.approve", *, tenant: str = "triflow", **values: object) -> AuditEvent:
    """One event, as an act would record it; `tenant=""` is the portal's own chain."""
    names = {"triflow": "TriFlow AI", "onno": "Onno"}
    values = {
        "actor": OSKAR,
        "target": Target("environment", "triflow.staging", "TriFlow AI staging"),
        **values,
    }
    with transaction.atomic():
        return audit.record(
            action=action,
            tenant=TenantRef(tenant, names[tenant]) if tenant else None,
            **values,  # type: ignore[arg-type]
        )


@pytest.fixture
def events(db: None) -> dict[str, AuditEvent]:
    return {
        "ours": write(environment="staging", before={"size": 1, "same": "x"}, after={"size": 2, "same": "x"}),
        "ours of the tenant": write("membership.grant", after={"role": "viewer"}),
        "theirs": write("change.reject", tenant="onno", environment="live"),
        "portal": write("session.sign_in", tenant="", target=Target("person", "operator", "Oskar")),
    }
