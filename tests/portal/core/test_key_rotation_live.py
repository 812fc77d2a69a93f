"""A key is replaced while others read and write; a killed rotation goes on; what the old key proved stays proven."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, models

from portal.core import keyring as rings
from portal.core.fields import EncryptedField
from portal.core.keyring import Keyring, new_key_text, retire_old_keys
from portal.core.rotation import encrypted_columns, rotate, stale
from tests.portal.core.models import Vault

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60
ROWS = 400
OLD, NEW = new_key_text("old"), new_key_text("new")

# Each in a process of its own, on the test's database, with the keyring from a file.
WRITER = """
    import sys, time
    from tests.portal.core.models import Vault
    number = 0
    while True:
        Vault.objects.create(text=f"written {number}", json={"number": number})
        row = Vault.objects.order_by("?").first()
        Vault.objects.filter(pk=row.pk).update(text=row.text + "+")
        number += 1
        print(number, flush=True)
        time.sleep(0.01)
"""
ROTATION = """
    from django.core.management import call_command
    call_command("rotate_keys")
"""
START = """
    import os
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings
    settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
    settings.GATEHOUSE_KEYRING_FILE = os.environ["TEST_KEYRING"]
    django.setup()
"""


def process(code: str, keyring: Path) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "TEST_DATABASE": str(connection.settings_dict["NAME"]),
        "TEST_KEYRING": str(keyring),
        "GATEHOUSE_KEYRING": "",
    }
    text = textwrap.dedent(START) + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", text], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    )


def until(true: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for: {what}"
        time.sleep(0.05)


def vault() -> tuple[type[models.Model], list[EncryptedField[Any, Any]]]:
    return next(pair for pair in encrypted_columns() if pair[0] is Vault)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_rotation_beside_a_writer_killed_once_and_run_again(settings, tmp_path: Path) -> None:
    place = settings.GATEHOUSE_KEYRING_FILE = tmp_path / "keyring"
    settings.GATEHOUSE_KEYRING = ""
    place.write_text(OLD)
    Vault.objects.bulk_create(Vault(text=f"row {n}", data=os.urandom(2000)) for n in range(ROWS))
    writer = process(WRITER, place)
    try:
        assert writer.stdout is not None
        writer.stdout.readline()
        place.write_text(f"{NEW},{OLD}")
        doomed = process(ROTATION, place)
        until(lambda: 0 < len(stale(*vault())) < ROWS - 20, "the rotation to be in the middle")
        doomed.send_signal(signal.SIGKILL)
        doomed.communicate()
        half = len(stale(*vault()))
        assert half > 0, "it was killed too late to prove anything"
        call_command("rotate_keys", "--retire")
    finally:
        # It went on reading and writing through all of it, and read the altered file by itself.
        assert writer.poll() is None
        writer.kill()
        writer.communicate()
    assert "old:" not in place.read_text().replace("retired.old:", "")
    rows = list(Vault.objects.all())
    assert len(rows) > ROWS
    assert {row.text.rstrip("+").rpartition(" ")[0] for row in rows} == {"row", "written"}


@pytest.mark.django_db
def test_a_process_with_the_old_keyring_is_told_of(settings, monkeypatch) -> None:
    settings.GATEHOUSE_KEYRING = f"{NEW},{OLD}"
    Vault.objects.create(text="now")

    def written_meanwhile(model: Any, fields: Any, **_more: Any) -> int:
        changed = rotate(model, fields)
        if model is Vault:
            settings.GATEHOUSE_KEYRING = f"{OLD},{NEW}"
            Vault.objects.create(text="by a process that was not restarted")
            settings.GATEHOUSE_KEYRING = f"{NEW},{OLD}"
        return changed

    monkeypatch.setattr("portal.core.management.commands.rotate_keys.rotate", written_meanwhile)
    with pytest.raises(CommandError, match=r"core_tests\.Vault: 1.*Keep the old key"):
        call_command("rotate_keys", "--retire")


@pytest.mark.django_db
def test_a_missing_key_is_named(settings) -> None:
    settings.GATEHOUSE_KEYRING = OLD
    Vault.objects.create(text="lost")
    settings.GATEHOUSE_KEYRING = NEW
    with pytest.raises(CommandError, match=r"Vault: Key .*old.* is not in the keyring\. Put that key back"):
        call_command("rotate_keys")


def test_every_encrypted_field_of_every_model_is_rotated() -> None:
    found = {(model, field.name) for model, fields in encrypted_columns() for field in fields}
    declared = {
        (model, field.name)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if type(field).__name__.startswith("Encrypted")
    }
    assert found == declared
    assert len({model for model, _name in found}) > 8
    for model, name in found:
        # A token is bound to its place; two columns of one context could be exchanged.
        assert model._meta.get_field(name).context == f"{model._meta.db_table}.{name}"


def test_an_altered_keyring_file_is_read_at_once(settings, tmp_path: Path) -> None:
    place = settings.GATEHOUSE_KEYRING_FILE = tmp_path / "keyring"
    settings.GATEHOUSE_KEYRING = ""
    place.write_text(OLD)
    token = rings.keyring().encrypt(b"x", context="c")
    draft = tmp_path / "draft"
    draft.write_text(f"{NEW},{OLD}")
    draft.replace(place)
    assert rings.keyring().keys[0].id == "new"
    assert rings.keyring().decrypt(token, context="c") == b"x"


def test_fingerprints_and_signatures_outlive_their_key() -> None:
    """Digests that people voted on, secrets of webhooks, signed heads of the audit log."""
    before = Keyring.parse(OLD)
    signed, print_ = before.sign(b"head"), before.fingerprint(b"secret", context="c")
    during = Keyring.parse(f"{NEW},{OLD}")
    after = Keyring.parse(retire_old_keys(f"{NEW},{OLD}"))
    again = Keyring.parse(retire_old_keys(f"{new_key_text('third')},{retire_old_keys(f'{NEW},{OLD}')}"))
    for ring in (during, after, again):
        assert ring.fingerprint(b"secret", context="c") == print_
        assert ring.verify(b"head", signed)
        assert not ring.verify(b"another head", signed)
    assert again.verify(b"mine", during.sign(b"mine"))
    assert [key.id for key in again.keys] == ["third"]


def test_a_retired_key_opens_nothing_and_signs_nothing() -> None:
    token = Keyring.parse(OLD).encrypt(b"x", context="c")
    after = Keyring.parse(retire_old_keys(f"{NEW},{OLD}"))
    with pytest.raises(rings.DecryptionError):
        after.decrypt(token, context="c")
    assert after.sign(b"x").startswith("new.")
    raw_old = dict(rings.entries(OLD))["old"]
    assert raw_old not in dict(rings.entries(retire_old_keys(f"{NEW},{OLD}"))).values()


@pytest.mark.parametrize(
    "text",
    ("{new},retired.new:{key}", "fingerprint:{key}", "{new},retired.:{key}", "{new},retired.a b:{key}"),
)
def test_keyrings_that_cannot_be(text: str) -> None:
    with pytest.raises(rings.ImproperlyConfigured):
        Keyring.parse(text.format(new=NEW, key=OLD.partition(":")[2]))
