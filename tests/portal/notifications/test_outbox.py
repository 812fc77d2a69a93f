"""Messages are written with the act, go out once, and are given up in sight."""

import logging
import threading
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection, transaction

from portal.core.clock import local_now
from portal.notifications import outbox, tasks
from portal.notifications.channels import DeliveryError
from portal.notifications.models import Message
from portal.notifications.outbox import deliver_due, forget_sent, send
from tests.portal.notifications.conftest import Receiver

pytestmark = pytest.mark.django_db
LINK = "https://gatehouse.example/changes/1/"


def email(**more: str) -> Message:
    given = {"address": "kim@example.com", "subject": "Approve", "text": "Two to add.", "link": LINK}
    return send(channel="email", **(given | more))


def slack(receiver: Receiver, **more: str) -> Message:
    return send(
        channel="slack", address=receiver.address, subject="Approve", text="Two to add.", link=LINK, **more
    )


@pytest.mark.django_db(transaction=True)
def test_a_message_waits_for_the_commit_and_dies_with_the_act(nudges: list[str]) -> None:
    with pytest.raises(RuntimeError, match="act failed"), transaction.atomic():
        email()
        raise RuntimeError("act failed")
    assert (Message.objects.count(), nudges) == (0, [])
    with transaction.atomic():
        email()
        assert nudges == []
    assert (Message.objects.count(), nudges) == (1, ["nudge"])


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_fails_nobodys_act(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("no broker")

    monkeypatch.setattr(tasks.deliver_messages, "delay", refuse)
    with transaction.atomic():
        email()
    assert deliver_due() == 1


def test_an_email_holds_text_and_link() -> None:
    email(subject="Approve\nBcc: everybody@example.com")
    assert tasks.deliver_messages() == 1
    sent = mail.outbox[0]
    assert (sent.to, sent.bcc) == (["kim@example.com"], [])
    assert sent.subject == "Approve Bcc: everybody@example.com"
    assert sent.body == f"Two to add.\n\n{LINK}"
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"


def test_what_went_out_does_not_go_out_again(receiver: Receiver) -> None:
    message = slack(receiver)
    assert [deliver_due(), deliver_due()] == [1, 0]
    message.refresh_from_db()
    assert (len(receiver.came), message.attempts, message.error) == (1, 1, "")
    assert message.sent_at is not None


def test_the_same_story_is_told_once() -> None:
    first = email(dedupe_key="change-1:approved")
    assert email(dedupe_key="change-1:approved") == first
    assert email(dedupe_key="change-2:approved") != first
    assert email() != email()
    assert Message.objects.count() == 4


@pytest.mark.parametrize("wrong", [{"channel": "pigeon"}, {"address": ""}])
def test_a_message_to_nowhere_is_a_mistake(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="channel and an address"):
        send(**({"channel": "email", "address": "a@b", "subject": "", "text": "", "link": ""} | wrong))


@pytest.mark.django_db(transaction=True)
def test_ten_workers_deliver_each_message_once(receiver: Receiver) -> None:
    for number in range(20):
        slack(receiver, dedupe_key=str(number))
    barrier, counts = threading.Barrier(10), []

    def work() -> None:
        barrier.wait()
        try:
            counts.append(deliver_due())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == len(receiver.came) == 20
    assert not Message.objects.waiting().exists()


def test_a_message_of_a_dead_worker_is_taken_over(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(message: Message) -> None:
        raise KeyboardInterrupt

    slack(receiver)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "deliver", die)
        with pytest.raises(KeyboardInterrupt):
            deliver_due()
    assert deliver_due() == 0
    with time_machine.travel(local_now() + outbox.CLAIMED_FOR):
        assert deliver_due() == 1


def test_failures_are_tried_again_later_and_later_and_then_given_up(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 503
    message, pauses = slack(receiver), []
    with time_machine.travel(local_now() + timedelta(seconds=1), tick=False) as clock:
        for _ in range(outbox.MOST_ATTEMPTS):
            assert deliver_due() == 0
            message.refresh_from_db()
            pauses.append((message.due_at - local_now()).total_seconds())
            clock.move_to(message.due_at)
    assert pauses[:-1] == [15, 30, 60, 120, 240, 480, 960]
    assert message.gave_up_at is not None
    assert "503" in message.error
    assert "said the receiver" in message.error
    assert list(Message.objects.given_up()) == [message]
    assert len(receiver.came) == outbox.MOST_ATTEMPTS
    assert [record.levelno for record in caplog.records][-1] == logging.ERROR


@pytest.mark.parametrize("status", [400, 403, 404, 410, 302])
def test_a_receiver_that_will_never_take_it_is_given_up_at_once(receiver: Receiver, status: int) -> None:
    receiver.status = status
    receiver.headers = {"Location": "http://127.0.0.1:1/elsewhere"}
    message = slack(receiver)
    deliver_due()
    message.refresh_from_db()
    assert (message.gave_up_at is not None, len(receiver.came)) == (True, 1)


def test_a_receiver_may_ask_for_a_longer_pause(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "300"}
    message = slack(receiver)
    deliver_due()
    message.refresh_from_db()
    assert timedelta(seconds=295) < message.due_at - local_now() < timedelta(seconds=305)


def test_one_that_fails_does_not_hold_up_the_others(receiver: Receiver) -> None:
    receiver.status = 500
    slack(receiver)
    email()
    assert deliver_due() == 1
    assert len(mail.outbox) == 1


def test_the_address_of_a_webhook_is_nowhere_to_be_read(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    message = slack(receiver)
    receiver.status = 500
    deliver_due()
    Message.objects.update(due_at=local_now())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            outbox, "deliver", lambda _: (_ for _ in ()).throw(DeliveryError(f"no way to {receiver.address}"))
        )
        deliver_due()
    message.refresh_from_db()
    assert message.attempts == 2
    assert "no way to (secret)" in message.error
    assert "topsecretpath" not in caplog.text + message.error + str(message)
    with connection.cursor() as cursor:
        cursor.execute("SELECT address FROM notifications_message")
        assert b"topsecretpath" not in bytes(cursor.fetchone()[0])


def test_nobody_listening_is_a_passing_failure(receiver: Receiver, settings) -> None:
    settings.WEBHOOK_ALLOWED_HOSTS = ["127.0.0.1"]
    message = send(
        channel="slack", address="http://127.0.0.1:9/services/topsecretpath", subject="x", text="", link=""
    )
    assert deliver_due() == 0
    message.refresh_from_db()
    assert message.gave_up_at is None
    assert "topsecretpath" not in message.error
    assert message.error


def test_old_messages_are_forgotten_but_not_those_nobody_got() -> None:
    old, given_up, fresh = email(), email(), email()
    long_ago = local_now() - timedelta(days=31)
    Message.objects.filter(pk=old.pk).update(sent_at=long_ago)
    Message.objects.filter(pk=given_up.pk).update(gave_up_at=long_ago)
    Message.objects.filter(pk=fresh.pk).update(sent_at=local_now())
    assert forget_sent() == 1
    assert set(Message.objects.all()) == {given_up, fresh}


def test_the_oldest_go_first_and_only_so_many(receiver: Receiver) -> None:
    for number in range(4):
        slack(receiver, dedupe_key=str(number))
    Message.objects.filter(dedupe_key="3").update(due_at=local_now() - timedelta(hours=1), subject="first")
    Message.objects.filter(dedupe_key="0").update(due_at=local_now() + timedelta(hours=1))
    assert deliver_due(limit=2) == 2
    assert receiver.bodies[0]["text"].startswith("*first*")
    assert deliver_due() == 1
