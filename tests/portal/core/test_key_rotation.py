"""A key is replaced: everything stays readable, and at the end the old key is needed no more."""

import pytest
from django.core.management import call_command

from portal.core.fields import EncryptedField
from portal.core.keyring import DecryptionError, new_key_text
from portal.core.rotation import encrypted_columns, rotate
from tests.portal.core.models import Vault

pytestmark = pytest.mark.django_db
OLD, NEW = new_key_text("old"), new_key_text("new")


def test_after_rotation_the_old_key_may_go(settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.GATEHOUSE_KEYRING = OLD
    vaults = [Vault.objects.create(text=f"text {n}", data=b"x" * n, json={"n": n}) for n in range(3)]
    Vault.objects.create(text="no data")
    settings.GATEHOUSE_KEYRING = f"{NEW},{OLD}"
    Vault.objects.create(text="new already")

    call_command("rotate_keys")
    assert "core_tests.Vault: 4 rows" in capsys.readouterr().out
    call_command("rotate_keys")
    assert "core_tests.Vault: 0 rows" in capsys.readouterr().out

    settings.GATEHOUSE_KEYRING = NEW
    assert {vault.text for vault in Vault.objects.all()} == {f"text {n}" for n in range(3)} | {
        "no data",
        "new already",
    }
    assert [Vault.objects.get(pk=vault.pk).json for vault in vaults] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert Vault.objects.get(text__isnull=False, pk=vaults[2].pk).data == b"xx"


def test_a_row_whose_key_is_gone_is_not_passed_over(settings) -> None:
    settings.GATEHOUSE_KEYRING = OLD
    Vault.objects.create(text="lost")
    settings.GATEHOUSE_KEYRING = NEW
    with pytest.raises(DecryptionError, match="not in the keyring"):
        rotate(*next(pair for pair in encrypted_columns() if pair[0] is Vault))


def test_no_encrypted_column_is_forgotten() -> None:
    found = {(model._meta.label, field.name) for model, fields in encrypted_columns() for field in fields}
    assert {("core_tests.Vault", "text"), ("core_tests.Vault", "data"), ("core_tests.Vault", "json")} <= found
    assert ("notifications.Message", "address") in found
    assert all(
        isinstance(field, EncryptedField) for _model, fields in encrypted_columns() for field in fields
    )
