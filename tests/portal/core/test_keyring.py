import base64
import multiprocessing
import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.core.keyring import (
    DecryptionError,
    Keyring,
    keyring,
    new_key_text,
    read_or_create_secret,
)

OLD, NEW = new_key_text("old"), new_key_text("new")


def test_a_token_reads_back_only_in_its_own_place() -> None:
    ring = Keyring.parse(OLD)
    token = ring.encrypt(b"hunter2", context="vault.text")
    assert b"hunter2" not in token
    assert ring.decrypt(token, context="vault.text") == b"hunter2"
    with pytest.raises(DecryptionError, match="does not belong"):
        ring.decrypt(token, context="vault.other")


@pytest.mark.parametrize("position", range(40))
def test_every_altered_byte_is_noticed(position: int) -> None:
    ring = Keyring.parse(OLD)
    token = bytearray(ring.encrypt(b"hunter2", context="x"))
    token[position] ^= 1
    with pytest.raises(DecryptionError):
        ring.decrypt(bytes(token), context="x")


@pytest.mark.parametrize("token", [b"", b"\x01", b"\x01\x03old", b"\x01\x03old" + b"0" * 12, b"plain text"])
def test_what_is_no_token_is_refused(token: bytes) -> None:
    with pytest.raises(DecryptionError):
        Keyring.parse(OLD).decrypt(token, context="x")


def test_rotation_old_tokens_stay_readable_until_the_old_key_is_dropped() -> None:
    before, during, after = Keyring.parse(OLD), Keyring.parse(f"{NEW},{OLD}"), Keyring.parse(NEW)
    token, signature = before.encrypt(b"data", context="x"), before.sign(b"head")

    assert during.decrypt(token, context="x") == b"data"
    assert not during.is_current(token)
    assert during.verify(b"head", signature)

    again = during.encrypt(during.decrypt(token, context="x"), context="x")
    assert during.is_current(again)
    assert after.decrypt(again, context="x") == b"data"
    with pytest.raises(DecryptionError, match="not in the keyring"):
        after.decrypt(token, context="x")
    assert not after.verify(b"head", signature)


def test_signatures_refuse_other_data_and_other_keys() -> None:
    ring = Keyring.parse(OLD)
    signature = ring.sign(b"head 7")
    assert ring.verify(b"head 7", signature)
    assert not ring.verify(b"head 8", signature)
    assert not ring.verify(b"head 7", "")
    assert not ring.verify(b"head 7", "old.é")
    assert not Keyring.parse(OLD.replace("old", "older")).verify(b"head 7", signature)


def test_fingerprints_compare_secrets_without_showing_them() -> None:
    ring = Keyring.parse(OLD)
    one = ring.fingerprint(b"secret", context="password")
    assert one == ring.fingerprint(b"secret", context="password")
    assert (
        len({one, ring.fingerprint(b"secret2", context="password"), ring.fingerprint(b"secret", context="p")})
        == 3
    )
    # The border between context and data is part of it.
    assert ring.fingerprint(b"bc", context="a") != ring.fingerprint(b"c", context="ab")
    assert one != Keyring.parse(NEW).fingerprint(b"secret", context="password")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nocolon",
        "bad id:" + base64.b64encode(b"0" * 32).decode(),
        "k:" + base64.b64encode(b"short").decode(),
        "k:***",
        f"{OLD},{OLD}",
    ],
    ids=["empty", "no colon", "bad id", "short key", "no base64", "id twice"],
)
def test_a_wrong_keyring_says_so_without_the_key(text: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        Keyring.parse(text)
    assert OLD.partition(":")[2] not in str(caught.value)


def test_the_embedded_keyring_is_made_once_and_private(settings, tmp_path: Path) -> None:
    settings.GATEHOUSE_KEYRING = ""
    settings.GATEHOUSE_KEYRING_FILE = tmp_path / "deep" / "keyring"
    token = keyring().encrypt(b"x", context="y")
    assert stat.S_IMODE(settings.GATEHOUSE_KEYRING_FILE.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.GATEHOUSE_KEYRING_FILE.parent.stat().st_mode) == 0o700
    fresh = Keyring.parse(settings.GATEHOUSE_KEYRING_FILE.read_text())
    assert fresh.decrypt(token, context="y") == b"x"


def test_the_setting_wins_over_the_file(settings, tmp_path: Path) -> None:
    settings.GATEHOUSE_KEYRING = OLD
    settings.GATEHOUSE_KEYRING_FILE = tmp_path / "keyring"
    assert keyring().keys[0].id == "old"
    assert not settings.GATEHOUSE_KEYRING_FILE.exists()


def _read(path: Path, barrier, results) -> None:
    barrier.wait()
    results.put(read_or_create_secret(path))


def test_processes_that_start_at_once_agree_on_a_secret(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier, results, path = context.Barrier(8), context.Queue(), tmp_path / "secret"
    workers = [context.Process(target=_read, args=(path, barrier, results)) for _ in range(8)]
    for worker in workers:
        worker.start()
    found = {results.get(timeout=20) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(found) == 1
    assert len(found.pop()) >= 50
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_an_emptied_secret_file_is_not_replaced_in_silence(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    with pytest.raises(ImproperlyConfigured, match="empty"):
        read_or_create_secret(tmp_path / "secret")
