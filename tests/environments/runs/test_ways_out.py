"""Secrets leave in two ways only: the state backend for a run's own sign-in, and an admin's recorded download.

Without Terraform, so on every database: a crafted state, plan and definition with a secret of each kind, every
address opened by everybody, and a dump of the database.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from environments.blueprints import snapshots
from environments.changes.log import LogWriter
from environments.changes.models import Change, Proposal
from environments.models import Definition, Environment
from environments.runs import credentials, inventory, planning
from environments.runs.models import DriftCheck, StateVersion
from portal.audit.models import AuditEvent
from portal.core.redaction import Redactor
from portal.terraform.plan import read_plan
from tests.environments.runs import secret_places as places
from tests.environments.runs import states
from tests.environments.runs.crafted import planned, row
from tests.environments.runs.secret_scanner import Scanner, random_key, random_odd, random_word, report
from tests.portal.terraform.documents import instance, resource

pytestmark = pytest.mark.django_db

HERE = "/environments/triflow/production"
ROLES = ("viewer", "operator", "approver", "auditor", "admin", "outsider")


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
def place(tenant: Any, settings: Any) -> Environment:
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
def told(place: Environment, operator: Any, secrets: Scanner) -> Change:
    """An environment with a secret of every kind in every table that may hold one."""
    known = secrets.secrets
    Definition.objects.create(
        environment=place,
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
            environment=place,
            number=number,
            lineage=states.LINEAGE,
            serial=number,
            size=len(body),
            md5="0" * 32,
            content=body,
            written_by="a run",
        )
    inventory.refresh(place)
    change = planned(place, operator, [row("aws_ecs_task_definition.app", "update")])
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


@pytest.fixture
def cast(
    viewer: Any,
    operator: Any,
    approver: Any,
    auditor: Any,
    admin: Any,
    outsider: Any,
) -> dict[str, Any]:
    people = (viewer, operator, approver, auditor, admin, outsider)
    return dict(zip(ROLES, people, strict=True))


def opened(place: Environment, cast: dict[str, Any], api: Callable[..., Any]) -> Iterator[tuple[str, bytes]]:
    compared = [f"{HERE}/states/compare/?a=1&b=2", f"{HERE}/compare/?a=1&b=1"]
    compared += [f"{HERE}/compare/?with=triflow.copy", f"{HERE}/define/", f"{HERE}/clone/"]
    known = places.addresses(place)
    for who, user in cast.items():
        browser = Client(raise_request_exception=False)
        browser.force_login(user)
        program = api(user)
        program.raise_request_exception = False
        for address in (*known, *compared):
            one = program if address.startswith("/api/") else browser
            answer = one.get(address)
            yield f"{who} {address} {answer.status_code}", places.content_of(answer)


def test_nothing_that_anybody_opens_tells_a_secret(told, place, cast, api, operator, sign_in, secrets):
    clone = sign_in(operator).post(
        f"{HERE}/clone/", {"slug": "copy", "name": "copy", "region": "ap-northeast-2"}
    )
    assert clone.status_code == 302, clone.content
    assert not Environment.objects.get(slug="copy").latest_definition.sensitive
    leaks, opened_well, count = [], 0, 0
    for name, data in opened(place, cast, api):
        leaks += secrets.leaks(name, data)
        opened_well += name.endswith(" 200")
        count += 1
    assert not leaks, report(leaks)
    assert count > 200
    assert opened_well > 100
    page = sign_in(operator).get(f"{HERE}/states/compare/?a=1&b=2").content.decode()
    # What is harmless beside them is still told.
    assert "container_definitions" in page


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_the_database_tells_no_secret(told, secrets):
    found = dump()
    assert b"aws_ecs_task_definition.app" in found, "the dump holds nothing: the search would prove nothing"
    leaks = list(secrets.leaks("dump", found))
    if connection.vendor == "sqlite":
        leaks += [leak for name, data in places.database() for leak in secrets.leaks(name, data)]
    assert not leaks, report(leaks)


def basic(user: str, password: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_runs_own_sign_in_reads_the_state_while_it_lives(told, place, secrets):
    address = "/state/triflow/production"
    issued = credentials.issue(told, fence=told.fence, may_write=False)
    answer = Client().get(address, **basic(issued.username, issued.password))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert {"marked", "container", "output"} <= {
        secret for secret, _form in secrets.forms_found(answer.content)
    }
    credentials.revoke(told, fence=told.fence)
    for headers in (basic(issued.username, issued.password), basic(issued.username, "guessed"), {}):
        refused = Client().get(address, **headers)
        assert refused.status_code == 401
        assert not list(secrets.leaks("refusal", refused.content))


@pytest.mark.parametrize("who", [name for name in ROLES if name not in ("admin", "outsider")])
def test_nobody_but_an_admin_downloads_a_state_and_the_attempt_is_recorded(told, cast, secrets, who):
    client = Client()
    client.force_login(cast[who])
    answer = client.post(f"{HERE}/states/2/download/")
    assert answer.status_code == 403
    assert not list(secrets.leaks(who, answer.content))
    event = AuditEvent.objects.get(action="state.download")
    assert (event.outcome, event.actor_name, event.environment) == (
        "refused",
        cast[who].display_name,
        "production",
    )


def test_an_outsider_is_not_told_that_there_is_a_state(told, outsider):
    client = Client()
    client.force_login(outsider)
    assert client.post(f"{HERE}/states/2/download/").status_code == 404


def test_an_admins_download_is_recorded(told, admin, secrets):
    client = Client()
    client.force_login(admin)
    assert client.get(f"{HERE}/states/2/download/").status_code == 405
    answer = client.post(f"{HERE}/states/2/download/")
    assert answer.status_code == 200
    assert "marked" in {secret for secret, _form in secrets.forms_found(answer.content)}
    event = AuditEvent.objects.get(action="state.download")
    assert (event.outcome, event.actor_name, event.after) == ("done", "Admin", {"version": 2})
    assert "no-store" in answer.headers["Cache-Control"]
