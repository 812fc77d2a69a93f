"""What is written, and when an act may not happen."""

import threading
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, transaction

from portal.audit import Actor, Target, TenantRef, record, record_refusal
from portal.audit.models import GENESIS, AuditEvent, ChainHead
from portal.audit.querysets import Filters
from portal.audit.recording import NotInTransaction
from portal.audit.verification import verify
from portal.core.redaction import MASK
from tests.portal.audit.conftest import KIM, TRIFLOW, write

TARGET = Target("change", "c-1", "Apply")


@pytest.mark.django_db
def test_an_event_holds_everything_that_was_said() -> None:
    event = write(environment="production", before={"size": 1}, after={"size": 2}, detail="because")
    event.refresh_from_db()
    assert (event.chain, event.sequence, event.previous_hash) == ("triflow", 1, GENESIS)
    assert (event.actor_id, event.actor_name, event.actor_kind) == ("7", "Kim", "user")
    assert event.actor_roles == ["operator", "approver"]
    assert (event.address, event.request_id) == ("10.0.0.1", "r-1")
    assert (event.target_type, event.target_id, event.target_name) == ("change", "c-1", "Apply")
    assert (event.tenant_id, event.tenant_name, event.environment) == ("triflow", "TriFlow AI", "production")
    assert (event.outcome, event.before, event.after, event.detail) == (
        "done",
        {"size": 1},
        {"size": 2},
        "because",
    )
    assert event.hash == event.computed_hash()


@pytest.mark.django_db
def test_each_tenant_and_the_portal_have_a_chain_of_their_own() -> None:
    first, portal, other = write(), write(tenant=None), write(tenant=TenantRef("onno", "Onno"))
    second = write()
    assert [event.sequence for event in (first, portal, other, second)] == [1, 1, 1, 2]
    assert second.previous_hash == first.hash
    assert (portal.chain, portal.tenant_id) == ("portal", "")
    heads = dict(ChainHead.objects.values_list("chain", "hash"))
    assert heads == {"triflow": second.hash, "portal": portal.hash, "onno": other.hash}


@pytest.mark.django_db
def test_secrets_are_masked_and_any_text_can_be_stored() -> None:
    event = write(
        before={"db_password": "hunter2", "note": "nul\x00 half \ud83d"},
        after={"url": "postgres://x:hunter2@db", "list": [{"token": "t"}], "big": 1e22, "zero": -0.0},
        detail="Authorization: Token hunter2",
    )
    event.refresh_from_db()
    assert event.before == {"db_password": MASK, "note": "nul\ufffd half ?"}
    assert event.after["url"] == f"postgres://x:{MASK}@db"
    assert event.after["list"] == [{"token": MASK}]
    assert "hunter2" not in event.detail
    assert event.hash == event.computed_hash()
    assert verify().findings == []


@pytest.mark.django_db
def test_values_json_has_no_form_for_do_not_fail_the_act() -> None:
    event = write(
        after={"nan": float("nan"), "path": Path("a/b"), "set": {2}, "n": Decimal("1.50"), "on": True}
    )
    event.refresh_from_db()
    assert event.after == {"nan": "nan", "path": "a/b", "set": [2], "n": 1.5, "on": True}
    assert verify().findings == []


@pytest.mark.django_db
def test_endless_texts_are_cut_and_say_so() -> None:
    event = write(detail="x" * 50_000)
    assert event.detail.endswith("... (50000 characters)")
    long = Actor(id="i" * 500, name="n", kind="user", address="a" * 500)
    with transaction.atomic():
        event = record(actor=long, action="x.y", target=TARGET)
    assert (len(event.actor_id), len(event.address)) == (200, 200)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_refuses() -> None:
    with pytest.raises(NotInTransaction, match=r"change\.approve"):
        record(actor=KIM, action="change.approve", target=TARGET)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_act_that_rolls_back_leaves_no_record_and_no_gap() -> None:
    write()
    with pytest.raises(RuntimeError, match="act failed"), transaction.atomic():
        record(actor=KIM, action="change.approve", target=TARGET, tenant=TRIFLOW)
        raise RuntimeError("act failed")
    assert write().sequence == 2
    assert verify().findings == []


@pytest.mark.django_db(transaction=True)
def test_an_act_whose_record_cannot_be_written_does_not_happen() -> None:
    ChainHead.objects.create(chain="act", sequence=0)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent RENAME TO audit_gone")
    try:
        with pytest.raises(Exception, match="audit_auditevent"), transaction.atomic():
            ChainHead.objects.filter(pk="act").update(hash="moved")
            record(actor=KIM, action="change.approve", target=TARGET)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_gone RENAME TO audit_auditevent")
    assert ChainHead.objects.get(pk="act").hash == GENESIS


@pytest.mark.django_db
@pytest.mark.parametrize("tenant", ["", "portal"])
def test_no_tenant_can_write_into_the_chain_of_the_portal(tenant: str) -> None:
    with pytest.raises(ValueError, match="no chain of its own"):
        write(tenant=TenantRef(tenant))


@pytest.mark.django_db
def test_an_unknown_outcome_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="maybe"):
        write(outcome="maybe")


@pytest.mark.django_db(transaction=True)
def test_a_refusal_outlives_the_act() -> None:
    with pytest.raises(RuntimeError, match="refused"), transaction.atomic():
        raise RuntimeError("refused")
    event = record_refusal(
        actor=KIM,
        action="change.approve",
        target=TARGET,
        tenant=TRIFLOW,
        environment="staging",
        reason="Own change",
    )
    event.refresh_from_db()
    assert (event.outcome, event.detail, event.environment) == ("refused", "Own change", "staging")


@pytest.mark.django_db(transaction=True)
def test_a_refusal_inside_the_act_would_roll_back_with_it_and_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        record_refusal(actor=KIM, action="change.approve", target=TARGET, reason="no")
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_threads_write_one_unbroken_chain() -> None:
    barrier, errors = threading.Barrier(20), []

    def act(number: int) -> None:
        barrier.wait()
        try:
            for round_ in range(5):
                write(f"change.act{number}", detail=str(round_))
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    events = list(AuditEvent.objects.order_by("sequence"))
    assert [event.sequence for event in events] == list(range(1, 101))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert verify().findings == []
    assert verify().events == 100


@pytest.mark.django_db
def test_filters() -> None:
    first = write("change.approve", environment="production")
    second = write("change.reject", outcome="refused")
    third = write("session.sign_in", tenant=None)

    def found(**filters: object) -> list[AuditEvent]:
        return list(AuditEvent.objects.matching(Filters(**filters)).order_by("id"))

    assert found() == [first, second, third]
    assert found(action="change.") == [first, second]
    assert found(action="change") == []
    assert found(action="change.reject") == found(outcome="refused") == [second]
    assert found(tenant="triflow", environment="production") == [first]
    assert found(actor="ki") == found(actor="7") == [first, second, third]
    assert found(actor="lee") == []
    assert found(target="change:c-1", action="session.") == found(target="appl", action="session.") == [third]
    assert found(target="deployment:c-1") == []
    assert found(since=second.at, until=third.at) == [second]
    assert list(AuditEvent.objects.for_chains(["portal"])) == [third]
    assert list(AuditEvent.objects.newest_first()) == [third, second, first]
