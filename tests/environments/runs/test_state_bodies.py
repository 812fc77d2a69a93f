"""What a state backend is sent: damaged, too large, of another lineage, hostile; what is taken and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid

import pytest
from django.http import HttpRequest, UnreadablePostError

from environments.runs.models import StateLock, StateVersion
from tests.environments.runs.speaking import change_of, document, run_of

pytestmark = pytest.mark.django_db


def test_a_damaged_body_is_refused_and_a_whole_one_taken(run):
    run.lock("lock-1")
    wrong = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
    assert run.write(document(), "lock-1", HTTP_CONTENT_MD5=wrong).status_code == 400
    assert not StateVersion.objects.exists()
    right = base64.b64encode(hashlib.md5(document(), usedforsecurity=False).digest()).decode()
    assert run.write(document(), "lock-1", HTTP_CONTENT_MD5=right).status_code == 200


@pytest.mark.parametrize("body", (b"", b"nonsense", b"[]", b"{}", b'{"version": 3}', b"\xff\xfe"))
def test_what_is_no_state_is_refused(run, body):
    run.lock("lock-1")
    assert run.write(body, "lock-1").status_code == 400
    assert not StateVersion.objects.exists()


def test_another_lineage_and_an_older_serial_are_refused(run):
    run.lock("lock-1")
    run.write(document(serial=7), "lock-1")
    assert run.write(document(serial=8, lineage=str(uuid.uuid4())), "lock-1").status_code == 409
    assert run.write(document(serial=6), "lock-1").status_code == 409
    assert StateVersion.objects.count() == 1
    assert run.write(document(serial=8), "lock-1").status_code == 200


def test_a_serial_is_given_once_but_the_same_write_may_come_again(run):
    run.lock("lock-1")
    assert run.write(document(serial=7), "lock-1").status_code == 200
    # The answer got lost on the way: Terraform sends the very same once more.
    assert run.write(document(serial=7), "lock-1").status_code == 200
    assert StateVersion.objects.count() == 1
    assert run.write(document(serial=7, padding=1), "lock-1").status_code == 409
    assert StateVersion.objects.count() == 1
    run.unlock("lock-1")
    assert run.write(document(serial=7), "lock-1").status_code == 409


def test_a_lock_is_its_takers_even_to_one_who_knows_its_id(here, operator, run):
    run.lock("lock-1")
    other = run_of(change_of(here, operator))
    assert other.lock("lock-1").status_code == 423


@pytest.mark.parametrize("lock_id", ("x" * 65, "a\x00b", "half \ud800"))
def test_a_lock_id_that_no_column_keeps_is_refused(run, lock_id):
    answer = run.call("LOCK", json.dumps({"ID": lock_id}).encode())
    assert answer.status_code == 400
    assert not StateLock.objects.exists()


def test_a_hostile_lock_document_is_cut_to_what_is_shown(run):
    words = {"ID": "lock-1", "Who": "me\x00" + "x" * 5000, "Info": {"a": [1] * 500}, "Evil": "x" * 5000}
    assert run.call("LOCK", json.dumps(words).encode()).status_code == 200
    info = StateLock.objects.get().info
    assert set(info) == {"ID", "Who", "Info"}
    assert max(map(len, info.values())) < 700
    assert "\x00" not in json.dumps(info)


def test_a_lock_document_larger_than_any_is_none(run):
    assert run.call("LOCK", json.dumps({"ID": "x", "Info": "y" * 70_000}).encode()).status_code == 400


@pytest.mark.parametrize("encoding", ("gzip", "deflate"))
def test_a_compressed_body_is_refused_in_words(run, encoding):
    run.lock("lock-1")
    answer = run.write(document(), "lock-1", HTTP_CONTENT_ENCODING=encoding)
    assert answer.status_code == 415
    assert not StateVersion.objects.exists()


def test_a_body_that_breaks_off_is_refused_and_the_lock_stays(run, monkeypatch):
    run.lock("lock-1")

    def broken(self, *args):
        raise UnreadablePostError("connection reset")

    monkeypatch.setattr(HttpRequest, "read", broken)
    assert run.write(document(), "lock-1").status_code == 400
    monkeypatch.undo()
    assert run.write(document(), "lock-1").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    (
        {"serial": 2**63},
        {"serial": True},
        {"lineage": "x" * 65},
        {"lineage": "a\x00b"},
        {"lineage": 3},
        {"terraform_version": "1" * 21},
        {"Resources": []},
        {"resources": [{"mode": "managed", "type": "a", "name": "b", "Instances": []}]},
        {"resources": [{"mode": "managed", "type": "a\x00", "name": "b", "instances": [{}]}]},
        {
            "resources": [
                {"mode": "managed", "type": "a", "name": "b", "instances": [{"index_key": "\ud800"}]}
            ]
        },
    ),
)
def test_a_state_that_could_not_be_kept_or_means_something_else_to_terraform(run, wrong):
    run.lock("lock-1")
    body = json.dumps({**json.loads(document()), **wrong}).encode()
    assert run.write(body, "lock-1").status_code == 400
    assert not StateVersion.objects.exists()


@pytest.mark.parametrize(
    "body",
    (
        b"Warning: something\n" + document(),
        document().decode().encode("utf-16"),
        b"\xef\xbb\xbf" + document(),
        document()[:-1],
        b"[" * 100_000,
        b'{"version": 4, "outputs": ' + b'{"a":' * 200 + b"1" + b"}" * 201,
        b'{"version": 4, "serial": ' + b"9" * 5000 + b"}",
    ),
)
def test_what_terraform_could_not_read_back_is_refused(run, body):
    run.lock("lock-1")
    assert run.write(body, "lock-1").status_code == 400
    assert not StateVersion.objects.exists()


def test_a_state_larger_than_a_form_may_be_is_taken_and_a_too_large_one_refused(run, settings):
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE < 3_000_000
    run.lock("lock-1")
    large = document(padding=5_000_000)
    assert run.write(large, "lock-1").status_code == 200
    assert run.call("GET").content == large
    settings.STATE_MAX_BYTES = 1_000_000
    assert run.write(document(serial=2, padding=2_000_000), "lock-1").status_code == 413
    assert StateVersion.objects.count() == 1
