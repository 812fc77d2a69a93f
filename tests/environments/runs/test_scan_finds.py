"""The search finds what it searches for: each guard is taken away once, and each form of a secret is told."""

from __future__ import annotations

import base64
import html
import json
import subprocess
import sys
import zlib
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.db import connection
from django.test import Client

from portal.core.keyring import Keyring
from portal.core.redaction import Redactor
from tests.environments.runs import secret_places as places
from tests.environments.runs.secret_scanner import Scanner
from tests.environments.runs.secret_scene import HERE, dump
from tests.environments.runs.secret_story import CommandLines, until

pytestmark = pytest.mark.django_db


@pytest.fixture
def redaction_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redactor, "_spans", lambda _self, _text: [])
    monkeypatch.setattr("environments.changes.log.mask_forms", lambda text: text)


@pytest.fixture
def masking_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.terraform.secrets.SecretMatcher.holds_secret", lambda _self, _text: False)


@pytest.fixture
def guessing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("plan", "state", "secrets", "differences"):
        monkeypatch.setattr(f"portal.terraform.{module}.with_guesses", lambda _value, marks=None: marks)
    monkeypatch.setattr("portal.terraform.secrets.unmarked_secrets", lambda _value: [])


@pytest.fixture
def encryption_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Keyring, "encrypt", lambda _self, data, *, context: data)
    monkeypatch.setattr(Keyring, "decrypt", lambda _self, token, *, context: token)


def found_by(secrets: Scanner, data: bytes) -> set[str]:
    return {leak.secret for leak in secrets.leaks_in_store("", data)}


def seen(user: Any, address: str) -> bytes:
    client = Client()
    client.force_login(user)
    return places.content_of(client.get(address))


def test_without_redaction_the_log_tells(redaction_off, told, viewer, api, secrets):
    assert found_by(secrets, seen(viewer, f"/changes/{told.uuid}/log.txt")) >= {"logged", "key", "database"}
    answer = api(viewer).get(f"/api/v1/changes/{told.uuid}/log/?after=0")
    assert found_by(secrets, answer.content) >= {"logged", "key", "database"}


def test_without_masking_copies_are_told(masking_off, told, viewer, secrets):
    assert "sensitive" in found_by(secrets, seen(viewer, f"{HERE}/outputs/"))


def test_without_guessing_a_container_tells(guessing_off, told, viewer, api, secrets):
    answer = api(viewer).get(f"/api/v1/changes/{told.uuid}/resource-changes/")
    assert found_by(secrets, answer.content) >= {"container", "planned"}
    assert "container" in found_by(
        secrets, seen(viewer, f"{HERE}/states/compare/?a=1&b=2") + dump_of("resource")
    )
    assert "admin_password" in found_by(secrets, seen(viewer, f"{HERE}/outputs/"))


def dump_of(table: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM environments_{table}")
        return repr(cursor.fetchall()).encode()


@pytest.mark.django_db(transaction=True)
def test_without_encryption_the_dump_tells(encryption_off, told, secrets):
    assert found_by(secrets, dump()) >= {"sensitive", "key", "marked", "earlier", "output"}


def test_a_command_line_is_seen(secrets):
    watching = CommandLines()
    child = subprocess.Popen(
        [sys.executable, "-c", "input()", secrets.secrets["marked"]], stdin=subprocess.PIPE
    )
    mine = f"/proc/{child.pid}/cmdline"
    try:
        until(lambda: any(secrets.secrets["marked"].encode() in line for line in watching.seen), mine)
    finally:
        child.communicate(b"\n")
    assert found_by(secrets, watching.stop()) == {"marked"}


@pytest.mark.parametrize(
    "spell",
    (
        lambda text: text.encode(),
        lambda text: base64.b64encode(b"x" + text.encode() + b"yz"),
        lambda text: base64.urlsafe_b64encode(b"xx" + text.encode()),
        lambda text: json.dumps({"a": json.dumps({"b": text})}).encode(),
        lambda text: quote_plus(text).encode(),
        lambda text: html.escape(text).encode(),
        lambda text: text.encode().hex().encode(),
        lambda text: zlib.compress(b"before " + text.encode() + b" after"),
    ),
)
def test_the_search_knows_every_form(secrets, spell):
    assert "sensitive" in found_by(
        secrets, b"some bytes " + spell(secrets.secrets["sensitive"]) + b" and more"
    )
    line = secrets.secrets["key"].splitlines()[2]
    assert "key" in found_by(secrets, b"some bytes " + spell(line) + b" and more")
