"""Secrets leave in two ways only: the state backend for a run's own sign-in, and an admin's recorded download.

Without Terraform, so on every database: a crafted state, plan and definition with a secret of each kind, every
address opened by everybody, and a dump of the database.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from environments.models import Environment
from environments.runs import credentials
from portal.audit.models import AuditEvent
from tests.environments.runs import secret_places as places
from tests.environments.runs.secret_scanner import report
from tests.environments.runs.secret_scene import HERE, dump

pytestmark = pytest.mark.django_db

# They see all that anybody sees; tests/role_matrix asks every role whether it may.
OPENERS = ("viewer", "operator", "admin")
ROLES = ("viewer", "operator", "approver", "auditor", "admin", "outsider")


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


def opened(
    vaulted: Environment, cast: dict[str, Any], api: Callable[..., Any]
) -> Iterator[tuple[str, bytes]]:
    compared = [f"{HERE}/states/compare/?a=1&b=2", f"{HERE}/compare/?a=1&b=1"]
    compared += [f"{HERE}/compare/?with=triflow.copy", f"{HERE}/define/", f"{HERE}/clone/"]
    known = places.addresses(vaulted)
    for who, user in cast.items():
        if who not in OPENERS:
            continue
        browser = Client(raise_request_exception=False)
        browser.force_login(user)
        program = api(user)
        program.raise_request_exception = False
        for address in (*known, *compared):
            if address.startswith("/api/") and who == "operator":
                continue  # the same rows as a viewer gets
            one = program if address.startswith("/api/") else browser
            answer = one.get(address)
            yield f"{who} {address} {answer.status_code}", places.content_of(answer)


def test_nothing_that_anybody_opens_tells_a_secret(told, vaulted, cast, api, operator, sign_in, secrets):
    clone = sign_in(operator).post(
        f"{HERE}/clone/", {"slug": "copy", "name": "copy", "region": "ap-northeast-2"}
    )
    assert clone.status_code == 302, clone.content
    assert not Environment.objects.get(slug="copy").latest_definition.sensitive
    leaks, opened_well, count = [], 0, 0
    for name, data in opened(vaulted, cast, api):
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
    leaks = list(secrets.leaks_in_store("dump", found))
    if connection.vendor == "sqlite":
        leaks += [leak for name, data in places.database() for leak in secrets.leaks_in_store(name, data)]
    assert not leaks, report(leaks)


def basic(user: str, password: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_runs_own_sign_in_reads_the_state_while_it_lives(told, vaulted, secrets):
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
