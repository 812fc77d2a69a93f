from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import connection

from portal.core.keyring import DecryptionError, new_key_text
from tests.portal.core.models import Vault

pytestmark = pytest.mark.django_db


def raw(vault: Vault, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM core_tests_vault WHERE id = %s", [vault.pk])
        return bytes(cursor.fetchone()[0])


def test_values_come_back_and_the_column_shows_nothing() -> None:
    vault = Vault.objects.create(
        text="päss\nwörd", data=b"\x00\xff" * 500, json={"z": [1, None], "a": "hunter2"}
    )
    again = Vault.objects.get(pk=vault.pk)
    assert (again.text, again.data, again.json) == (vault.text, vault.data, vault.json)
    assert list(again.json) == ["z", "a"]
    assert b"hunter2" not in raw(vault, "json")
    # Compressed before it is encrypted.
    assert len(raw(vault, "data")) < 200


def test_empty_and_missing_values() -> None:
    vault = Vault.objects.create()
    again = Vault.objects.get(pk=vault.pk)
    assert (again.text, again.data, again.json) == ("", None, {})
    assert Vault.objects.filter(data__isnull=True).count() == 1


def test_json_takes_times_and_exact_decimals() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    vault = Vault.objects.create(
        json={"at": at, "n": Decimal("1.5"), "big": Decimal("0.1234567890123456789")}
    )
    assert Vault.objects.get(pk=vault.pk).json == {
        "at": "2026-01-02T03:04:05+00:00",
        "n": 1.5,
        "big": "0.1234567890123456789",
    }


def test_update_and_bulk_writes_are_encrypted_too() -> None:
    vaults = Vault.objects.bulk_create([Vault(text="one"), Vault(text="two")])
    Vault.objects.filter(pk=vaults[0].pk).update(text="hunter2")
    vaults[1].text = "hunter3"
    Vault.objects.bulk_update([vaults[1]], ["text"])
    assert set(Vault.objects.values_list("text", flat=True)) == {"hunter2", "hunter3"}
    assert all(b"hunter" not in raw(vault, "text") for vault in vaults)


def test_a_token_moved_to_another_column_cannot_be_read() -> None:
    vault = Vault.objects.create(text="mine", data=b"yours")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_tests_vault SET text = data")
    with pytest.raises(DecryptionError):
        Vault.objects.get(pk=vault.pk)


def test_searching_and_dumping_are_refused_not_wrong() -> None:
    vault = Vault.objects.create(text="x")
    with pytest.raises(FieldError, match="encrypted"):
        Vault.objects.filter(text="x").exists()
    with pytest.raises(TypeError, match="encrypted"):
        serializers.serialize("json", [vault])


def test_rotation_by_saving_again(settings) -> None:
    old, new = new_key_text("a"), new_key_text("b")
    settings.GATEHOUSE_KEYRING = old
    vault = Vault.objects.create(text="kept")
    settings.GATEHOUSE_KEYRING = f"{new},{old}"
    Vault.objects.get(pk=vault.pk).save()
    settings.GATEHOUSE_KEYRING = new
    assert Vault.objects.get(pk=vault.pk).text == "kept"
