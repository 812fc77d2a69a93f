"""The state backend as Terraform speaks to it: every verb, and every caller it must not listen to."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Any

import pytest

from environments.runs import credentials
from environments.runs.models import RunCredential, StateLock, StateVersion
from environments.runs.states import store
from portal.accounts.actions import create_token
from portal.audit.models import AuditEvent
from tests.cast import by
from tests.environments.runs.speaking import Terraform, change_of, document, run_of

pytestmark = pytest.mark.django_db


def test_a_run_from_nothing_to_the_first_version_and_back(here, run, change):
    assert run.call("GET").status_code == 204
    assert run.lock("lock-1").status_code == 200
    lock = StateLock.objects.get(environment=here)
    assert (lock.lock_id, lock.change, lock.fence) == ("lock-1", change, 1)
    assert run.write(document(), "lock-1").status_code == 200
    answer = run.call("GET")
    assert answer.content == document()
    md5 = hashlib.md5(document(), usedforsecurity=False).digest()
    assert answer["Content-MD5"] == base64.b64encode(md5).decode()
    assert run.write(document(serial=2), "lock-1").status_code == 200
    assert run.unlock("lock-1").status_code == 200
    assert not StateLock.objects.exists()
    assert [row.number for row in StateVersion.objects.order_by("number")] == [1, 2]
    told = AuditEvent.objects.filter(target_type="state").order_by("id").values_list("action", flat=True)
    assert list(told) == [
        "state.read",
        "state.lock",
        "state.write",
        "state.read",
        "state.write",
        "state.unlock",
    ]


def test_nobody_without_a_sign_in(here, there, change, run):
    for method in ("GET", "POST", "LOCK", "UNLOCK", "DELETE"):
        answer = Terraform(here).call(method)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Basic")
    issued = f"{change.uuid}.1"
    for user, password in (
        (issued, "wrong"),
        (issued, ""),
        ("", "x"),
        ("nonsense", "x"),
        (f"{'z' * 36}.1", "x"),
        (f"{change.uuid}.²", "x"),
        (f"{change.uuid}.{'9' * 30}", "x"),
        (f"{uuid.uuid4()}.1", "x"),
    ):
        assert Terraform(here, user, password).call("GET").status_code == 401, user


@pytest.mark.parametrize("words", ("Bearer x", "Basic", "Basic ***", "Basic /////w=="))
def test_a_broken_sign_in_is_no_sign_in(here, words):
    assert Terraform(here).call("GET", HTTP_AUTHORIZATION=words).status_code == 401


def test_a_run_reaches_its_own_environment_only(here, there, run):
    run.url = f"/state/{there.tenant.slug}/{there.slug}"
    for method in ("GET", "POST", "LOCK", "UNLOCK"):
        assert run.call(method).status_code == 401
    run.url = "/state/nowhere/at-all"
    assert run.call("GET").status_code == 401


def test_a_revoked_credential_opens_nothing(change, run):
    credentials.revoke(change, fence=1)
    assert run.call("GET").status_code == 401


def test_only_one_credential_a_fence_and_only_its_hash_is_kept(change, run):
    newer = run_of(change)
    assert run.call("GET").status_code == 401
    assert newer.call("GET").status_code == 204
    password = base64.b64decode(newer.headers["HTTP_AUTHORIZATION"].split()[1]).decode().split(":")[1]
    assert not RunCredential.objects.filter(digest__contains=password).exists()


def test_a_plan_reads_and_never_writes(change, here):
    plan = run_of(change, may_write=False)
    assert plan.call("GET").status_code == 204
    assert plan.lock("lock-1").status_code == 403
    assert plan.write(document(), "lock-1").status_code == 403
    writer = run_of(change, fence=2)
    writer.lock("lock-2")
    assert plan.unlock("lock-2").status_code == 403
    assert StateLock.objects.filter(lock_id="lock-2").exists()
    assert not StateVersion.objects.exists()


def test_an_admins_token_reads_and_never_writes(here, change, run, admin, operator, outsider):
    run.lock("lock-1")
    run.write(document(), "lock-1")

    def with_token(user: Any) -> Terraform:
        _row, plain = create_token(by=by(user), name="cli")
        return Terraform(here, user.username, plain)

    reader = with_token(admin)
    assert reader.call("GET").content == document()
    assert AuditEvent.objects.filter(action="state.read", actor_kind="token").count() == 1
    refused = reader.lock("mine")
    # What a person's terraform shows of a refused lock is its ID, so the advice stands there.
    assert (refused.status_code, refused.json()["ID"][:21]) == (423, "this token only reads")
    assert AuditEvent.objects.filter(action="state.lock", outcome="refused").count() == 1
    assert reader.write(document(serial=2), "lock-1").status_code == 403
    assert reader.unlock("lock-1").status_code == 403
    assert StateLock.objects.filter(lock_id="lock-1").exists()
    # The state holds secrets in clear: not for everybody who may see the environment.
    assert with_token(operator).call("GET").status_code == 401
    assert with_token(outsider).call("GET").status_code == 401


def test_a_token_made_without_the_scope_to_read_opens_no_state(here, admin):
    _row, plain = create_token(by=by(admin), name="posts only", scopes=["write"])
    assert Terraform(here, admin.username, plain).call("GET").status_code == 401
    _row, plain = create_token(by=by(admin), name="reads", scopes=["read"])
    assert Terraform(here, admin.username, plain).call("GET").status_code in (200, 204)


def test_the_second_lock_is_told_who_holds_the_first(here, operator, run):
    run.lock("lock-1")
    other = run_of(change_of(here, operator))
    answer = other.lock("lock-2")
    assert answer.status_code == 423
    assert answer.json()["ID"] == "lock-1"
    assert "Run it" in answer.json()["Who"]
    assert run.lock("lock-1").status_code == 200


def test_a_lock_without_an_id_is_none(run):
    assert run.call("LOCK", b"{}").status_code == 400
    assert run.call("LOCK", b"not json").status_code == 400
    assert run.call("LOCK", b"[1]").status_code == 400
    assert not StateLock.objects.exists()


def test_writing_takes_the_lock_that_the_writer_holds(here, operator, run, change):
    assert run.write(document(), "lock-1").status_code == 409
    run.lock("lock-1")
    assert run.write(document(), "another").status_code == 423
    assert run.write(document(), "").status_code == 423
    # Another run knows the lock's id: it still is not its lock.
    other = run_of(change_of(here, operator))
    assert other.write(document(), "lock-1").status_code == 423
    assert other.unlock("lock-1").status_code == 423
    # The same change under another fence: a worker that took over, or one that was given up for dead.
    assert run_of(change, fence=2).write(document(), "lock-1").status_code == 423
    assert not StateVersion.objects.exists()
    assert run.write(document(), "lock-1").status_code == 200


def test_unlocking_takes_the_right_id(run):
    run.lock("lock-1")
    assert run.unlock("another").status_code == 423
    # `terraform force-unlock` sends no document: an admin does that on the page, with a reason.
    assert run.call("UNLOCK").status_code == 423
    assert StateLock.objects.exists()
    assert run.unlock("lock-1").status_code == 200
    assert run.unlock("lock-1").status_code == 200


def test_states_are_never_deleted_and_other_verbs_are_none(run):
    run.lock("lock-1")
    run.write(document(), "lock-1")
    assert run.call("DELETE").status_code == 403
    assert run.call("PUT", document()).status_code == 405
    assert StateVersion.objects.count() == 1


def test_a_state_whose_record_cannot_be_written_is_not_stored(run, monkeypatch):
    run.lock("lock-1")

    def full(**values: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store.audit, "record", full)
    run.client.raise_request_exception = False
    assert run.write(document(), "lock-1").status_code == 500
    assert not StateVersion.objects.exists()


def test_what_is_kept_cannot_be_read_without_the_key(run):
    run.lock("lock-1")
    run.write(document(padding=100), "lock-1")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM runs_stateversion")
        assert b"xxxxx" not in bytes(cursor.fetchone()[0])


def test_guessing_a_token_is_slowed_down_not_an_error(here):
    answers = {Terraform(here, "x", f"ghs_abcdefgh_{n}").call("GET").status_code for n in range(40)}
    assert answers <= {401, 429}
    assert 429 in answers
