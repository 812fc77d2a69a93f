"""An environment with a secret of every kind in every table that may hold one; and a dump of the database."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from environments.blueprints import snapshots
from environments.changes.log import LogWriter
from environments.changes.models import Change, Proposal
from environments.models import Definition, Environment
from environments.runs import inventory, planning
from environments.runs.models import DriftCheck, StateVersion
from portal.core.redaction import Redactor
from portal.terraform.plan import read_plan
from tests.environments.runs import states
from tests.environments.runs.crafted import planned, row
from tests.environments.runs.secret_scanner import Scanner, random_key, random_odd, random_word
from tests.portal.terraform.documents import instance, resource

HERE = "/environments/triflow/production"


@pytest.fixture
def secrets() -> Scanner:
    found = Scanner()
    found.add(
        sensitive=random_odd(),
        key=random_key(),
        marked=random_word(),
        container=f"{random_word(14)}-Aa1",
        database=random_word(18),
        output=random_odd(),
        admin_password=f"{random_word(14)}-Aa1",
        earlier=random_word(),
        planned=random_word(),
        logged=random_odd(),
    )
    return found


@pytest.fixture
def vaulted(tenant: Any, settings: Any) -> Environment:
    settings.BLUEPRINT_DIRS = [Path(__file__).parent / "blueprints"]
    snapshots._seen.clear()
    return Environment.objects.create(
        tenant=tenant, slug="production", name="production", environment_class="production", blueprint="vault"
    )


def container(known: dict[str, str], **more: str) -> str:
    values = {
        "DB_PASSWORD": known["container"],
        "DATABASE_URL": f"postgres://app:{known['database']}@db/app",
        "LEVEL": "debug",
        **more,
    }
    return json.dumps([{"environment": [{"name": name, "value": value} for name, value in values.items()]}])


def state_of(known: dict[str, str], marked: str, serial: int) -> bytes:
    attributes = {
        "id": "app",
        "family": marked,
        "container_definitions": container(known, SERIAL=str(serial)),
    }
    task = resource(
        "aws_ecs_task_definition",
        "app",
        instance(attributes, sensitive_attributes=[[{"type": "get_attr", "value": "family"}]]),
    )
    outputs = {
        "hidden": {"value": {"inside": known["output"]}, "type": "dynamic", "sensitive": True},
        "admin_password": {"value": known["admin_password"], "type": "string"},
        "copy": {"value": f"of {known['sensitive']}", "type": "string"},
        "label": {"value": "harmless", "type": "string"},
    }
    return states.body(task, serial=serial, outputs=outputs)


@pytest.fixture
def told(vaulted: Environment, operator: Any, secrets: Scanner) -> Change:
    """An environment with a secret of every kind in every table that may hold one."""
    known = secrets.secrets
    Definition.objects.create(
        environment=vaulted,
        number=1,
        blueprint="vault",
        snapshot=snapshots.current_snapshot("vault").digest,
        variables={"files": "/tmp/x", "out": "/tmp/x"},
        sensitive={"password": known["sensitive"], "key": known["key"]},
        author=operator,
    )
    for number, marked in enumerate((known["earlier"], known["marked"]), start=1):
        body = state_of(known, marked, number)
        StateVersion.objects.create(
            environment=vaulted,
            number=number,
            lineage=states.LINEAGE,
            serial=number,
            size=len(body),
            md5="0" * 32,
            content=body,
            written_by="a run",
        )
    inventory.refresh(vaulted)
    change = planned(vaulted, operator, [row("aws_ecs_task_definition.app", "update")])
    tell_plan(change, known)
    log = LogWriter(change, change.fence, Redactor([known["logged"], known["key"]]))
    for part in (f"one {known['logged'][:9]}", known["logged"][9:], f"{known['key']}\n"):
        log._store(log.redactor.feed(part))
    log.write(f"\ncannot reach postgres://app:{known['database']}@db/app")
    log.close()
    return change


def tell_plan(change: Change, known: dict[str, str]) -> None:
    """What planning stores of a plan: rows, outputs, a look at drift."""
    before = {"container_definitions": container(known), "family": known["marked"]}
    after = {"container_definitions": container(known, DB_PASSWORD=known["planned"] + "-Aa1"), "family": "x"}
    entry = {
        "address": "aws_ecs_task_definition.app",
        "type": "aws_ecs_task_definition",
        "name": "app",
        "mode": "managed",
        "change": {
            "actions": ["update"],
            "before": before,
            "after": after,
            "after_unknown": {},
            "before_sensitive": {"family": True},
        },
    }
    shown = {"actions": ["create"], "before": None, "after": known["admin_password"], "after_unknown": False}
    document = {
        "format_version": "1.2",
        "planned_values": {},
        "resource_changes": [entry],
        "output_changes": {"admin_password": shown},
    }
    plan = read_plan(json.dumps(document).encode(), known=[known["sensitive"]])
    proposal: Proposal = change.proposal  # type: ignore[assignment]
    proposal.resource_changes.all().delete()
    planning._store_rows(proposal, plan)
    outputs = [{"name": one.name, "after": one.after, "sensitive": one.sensitive} for one in plan.outputs]
    Proposal.objects.filter(pk=proposal.pk).update(facts={**proposal.facts, "outputs": outputs})
    attributes = [
        {
            "path": one.path,
            "before": one.before,
            "after": one.after,
            "unknown": False,
            "sensitive": one.sensitive,
        }
        for one in plan.changes[0].attributes
    ]
    rows = [{"address": plan.changes[0].address, "type": "t", "action": "update", "attributes": attributes}]
    DriftCheck.objects.create(environment=change.environment, verdict="drifted", rows=rows, count=1)


def dump() -> bytes:
    """The database as text, as somebody with its password takes it out."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        return "\n".join(connection.connection.iterdump()).encode()
    given = connection.settings_dict
    url = {"-h": given["HOST"], "-p": str(given["PORT"]), "-U": given["USER"], "-d": given["NAME"]}
    arguments = [part for pair in url.items() if pair[1] for part in pair]
    done = subprocess.run(
        [pg_dump(), *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, "PGPASSWORD": given["PASSWORD"]},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def pg_dump() -> str:
    """Beside the server's own programs, where Debian keeps several versions."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"), key=lambda path: int(path.parts[4]))
    return str(found[-1]) if found else "pg_dump"
