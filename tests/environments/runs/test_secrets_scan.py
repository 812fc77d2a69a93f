"""More than thirty secrets, made up at test time, told in every way; then every place is searched for them.

The story: definitions by API and by form (one refused), a plan that quotes secrets in its error, applies that
succeed, fail, are cancelled and are killed with their worker, a look at drift; real processes throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from environments.changes import log
from environments.changes.models import Change
from environments.models import AwsAccount, Environment
from environments.runs.models import DriftCheck
from portal.accounts.actions import create_token
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from portal.notifications.models import Message
from tests.cast import by
from tests.environments.runs import secret_places as places
from tests.environments.runs.secret_scanner import Leak, Scanner, random_odd, random_word, report
from tests.environments.runs.secret_scene import dump
from tests.environments.runs.secret_story import CommandLines, Portal, Tale, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.terraform, pytest.mark.slow]

HERE = "/environments/triflow/production"
FORM = {
    "base": "1",
    "note": "by hand",
    "var-round": "1",
    "var-fail": "none",
    "var-seconds": "0",
    "action": "save",
}


@pytest.fixture
def portal(engine: Any, tmp_path: Path, live_sandbox: Any) -> Iterator[Portal]:
    folder = tmp_path / "portal"
    folder.mkdir()
    engine.SANDBOX_URL = live_sandbox.url
    made = Portal(folder, live_sandbox.url)
    # What this process asks for reaches the workers by the sweeper: its own broker is another.
    engine.RESEND_SECONDS = 1
    engine.SLACK_WEBHOOK_URL, engine.WEBHOOK_ALLOWED_HOSTS = made.slack_url, ["127.0.0.1"]
    yield made
    made.stop()


@pytest.fixture
def place(tenant: Any) -> Environment:
    return Environment.objects.create(
        tenant=tenant,
        slug="production",
        name="production",
        environment_class="production",
        blueprint="vault",
        account=AwsAccount.objects.create(
            tenant=tenant, name="triflow-production", account_id="210000000001"
        ),
    )


def client_of(user: User, secrets: Scanner, **options: Any) -> APIClient:
    """An API client; its token is one more secret."""
    _token, plain = create_token(by=by(user), name="scan", **options)
    secrets.add(**{f"token-of-{user.username}": plain.rpartition("_")[2]})
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {plain}")
    return client


def tell_by_form(tale: Tale, operator: User) -> None:
    """A wrong sign-in, a form that is refused with a secret in it, and one that is saved."""
    tale.secrets.add(mistyped=random_word(), drafted=random_odd(), formed=random_odd())
    known = tale.secrets.secrets
    Client().post("/accounts/sign-in/", {"username": "operator", "password": known["mistyped"]})
    client = Client()
    client.force_login(operator)
    plain = {f"var-{name}": value for name, value in tale.plain().items()}
    refused = client.post(
        f"{HERE}/define/", {**FORM, **plain, "var-round": "x", "var-password": known["drafted"]}
    )
    assert refused.status_code == 400
    saved = client.post(f"{HERE}/define/", {**FORM, **plain, "var-password": known["formed"]})
    assert saved.status_code == 302, saved.content
    newest = tale.environment.latest_definition
    assert newest.sensitive["password"] == known["formed"]
    assert newest.sensitive["key"].strip() == known["key"]


def tell_everything(tale: Tale, operator: User) -> None:
    tale.make_up()
    tale.run("succeeded")
    tell_by_form(tale, operator)
    tale.define(fail="plan")
    refused = tale.reach(tale.request(), "failed")
    assert "Refused" in refused.error_message
    failed = tale.run("failed", fail="apply", round=2)
    assert "denied for" in failed.error_message
    tale.make_up_unmarked(2)
    tale.operator.post(f"/api/v1/environments/{tale.key}/drift/")
    until(DriftCheck.objects.filter(verdict="drifted").exists, "the look at drift")
    change = tale.in_the_middle(round=3, seconds=2)
    tale.operator.post(f"/api/v1/changes/{change.uuid}/cancel/", {}, format="json")
    tale.reach(change, "cancelled")
    die_in_the_middle(tale)
    tale.learn()


def die_in_the_middle(tale: Tale) -> None:
    """kill -9 of the worker while its folder is full of secrets; the folder is gone soon after."""
    fleet = tale.portal.fleet
    work = tale.portal.folder / "work" / "worker"
    change = tale.in_the_middle(round=4, seconds=2)
    fleet.kill("worker")
    left = work / f"{change.uuid}-apply-{Change.objects.get(pk=change.pk).fence}"
    found = [leak for name, data in places.files(left) for leak in tale.secrets.leaks(name, data)]
    assert found, "the folder of the dead held nothing: the scan would prove nothing"
    tale.reach(change, "interrupted")
    fleet.revive("worker")
    until(lambda: not left.exists(), "the dead worker's folder to be deleted")


def everywhere(
    tale: Tale, people: dict[str, APIClient], cast: dict[str, User]
) -> Iterator[tuple[str, bytes]]:
    """Everything that anybody could look at."""
    for who, user in cast.items():
        client = Client(raise_request_exception=False)
        client.force_login(user)
        # The same templates show the same rows to all who may see them: one role looks at every change.
        much = who == "admin"
        known = places.addresses(tale.environment, changes=10 if much else 2)
        assert len(known) > 60
        pages = [one for one in known if not one.startswith("/api/")]
        yield from places.pages(client, who, ["/", *pages], follow=much)
        program = people[who]
        for address in (one for one in known if one.startswith("/api/")):
            yield f"API {who} {address}", places.content_of(program.get(address))
    yield from exports(cast)
    for change in Change.objects.all():
        yield f"log of {change}", "".join(log.lines(change)).encode()
    for message in Message.objects.all():
        yield "outbox", f"{message.subject}\n{message.text}\n{message.payload}\n{message.link}".encode()
    for event in AuditEvent.objects.all():
        yield (
            f"audit {event.action}",
            f"{event.detail} {event.before} {event.after} {event.target_name}".encode(),
        )
    for body in tale.portal.receiver.bodies:
        yield "Slack", body
    folder = tale.portal.folder
    for name in ("logs", "mail", "work"):
        assert list(places.files(folder / name)), f"{name} holds nothing: the search would prove nothing"
    yield from places.files(*(folder / name for name in ("logs", "broker", "mail", "tmp", "work")))
    if connection.vendor == "sqlite":
        yield from places.database()
    else:
        yield "database dump", dump()


def exports(cast: dict[str, User]) -> Iterator[tuple[str, bytes]]:
    client = Client()
    client.force_login(cast["auditor"])
    for form in ("csv", "jsonl"):
        answer = client.get("/activity/export/", {"format": form, "tenant": "triflow"})
        body = places.content_of(answer)
        assert answer.status_code == 200, body
        assert len(body) > 1000
        yield f"export {form}", body


def searched(secrets: Scanner, found: Iterator[tuple[str, bytes]]) -> tuple[list[Leak], dict[str, int]]:
    leaks: list[Leak] = []
    count: dict[str, int] = {}
    seen: set[bytes] = set()
    for name, data in found:
        count[name.split()[0]] = count.get(name.split()[0], 0) + 1
        if data not in seen:
            seen.add(data)
            look = secrets.leaks_in_store if name.startswith("database") else secrets.leaks
            leaks += look(name, data)
    return leaks, count


def test_no_secret_is_anywhere(
    place: Environment,
    portal: Portal,
    viewer: User,
    operator: User,
    approver: User,
    auditor: User,
    admin: User,
    outsider: User,
) -> None:
    cast = {user.username: user for user in (viewer, operator, auditor, admin, outsider)}
    tale = Tale(place, portal, None, None)
    people = {name: client_of(user, tale.secrets) for name, user in (*cast.items(), ("approver", approver))}
    tale.operator, tale.approver = people["operator"], people["approver"]
    watching = CommandLines()
    try:
        tell_everything(tale, operator)
    finally:
        lines = watching.stop()
    assert b"terraform" in lines
    assert len((tale.out / "told").read_text().splitlines()) >= 4
    until(lambda: len(portal.receiver.bodies) > 3, "messages to arrive")
    assert len(tale.secrets.secrets) >= 30, sorted(tale.secrets.secrets)

    leaks, count = searched(tale.secrets, everywhere(tale, people, cast))
    leaks += tale.secrets.leaks("a command line", lines)
    assert not leaks, report(leaks)
    for kind in (
        "viewer",
        "outsider",
        "API",
        "export",
        "log",
        "outbox",
        "audit",
        "Slack",
        "file",
        "database",
    ):
        assert count.get(kind), f"{kind} was not searched: {count}"
    only_ways_out(tale, admin, people["admin"])


def only_ways_out(tale: Tale, admin: User, program: APIClient) -> None:
    """What an admin takes out, and says so in the audit log, is the same state that the scan did not find."""
    number = tale.environment.state_versions.order_by("-number").values_list("number", flat=True)[0]
    client = Client()
    client.force_login(admin)
    taken = client.post(f"{HERE}/states/{number}/download/")
    told = {secret for secret, _form in tale.secrets.forms_found(taken.content)}
    assert {"password", "key", "born", "DB_PASSWORD.2"} & told
    assert AuditEvent.objects.filter(action="state.download", outcome="done").count() == 1
