"""A backup while others write: every copy is of one moment, and the writers go on."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing

import pytest
from django.db import connection, transaction
from django.db.models import Sum

from environments.models import Tenant
from portal.audit.models import AuditEvent
from portal.backup import manifest, sqlite
from portal.backup.making import backup
from portal.notifications.models import Message
from tests.portal.backup.conftest import database_name, type_

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


class Writer(threading.Thread):
    """Adds a tenant and a message in one transaction, over and over: there are always as many of one as of the other."""

    def __init__(self, name: str) -> None:
        super().__init__(daemon=True)
        self.label, self.stop, self.written = name, threading.Event(), 0

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                with transaction.atomic():
                    slug = f"{self.label}{self.written}"
                    Tenant.objects.create(slug=slug, name=slug)
                    Message.objects.create(channel="slack", address="x", subject="s", text="t" * 4000)
                self.written += 1
                # Others get their turn at SQLite's one lock.
                time.sleep(0.001)
        finally:
            connection.close()


def test_every_copy_is_of_one_moment_and_nobody_waits_for_it(filled, tmp_path, monkeypatch):
    # Many small steps: a copy that did not pin its moment would see the writers between any two.
    monkeypatch.setattr(sqlite, "STEP", 5)
    first = Tenant.objects.count()
    writers = [Writer(name) for name in "ab"]
    for writer in writers:
        writer.start()
    until = time.monotonic() + 30
    while min(writer.written for writer in writers) < 5:
        assert time.monotonic() < until
        time.sleep(0.01)
    try:
        copies = []
        for number in range(3):
            before = sum(writer.written for writer in writers)
            backup(tmp_path / f"copy{number}", keys_file=None, say=lambda text: None)
            copies.append(manifest.read(tmp_path / f"copy{number}").counts)
            assert sum(writer.written for writer in writers) > before
    finally:
        for writer in writers:
            writer.stop.set()
            writer.join(30)
    for counts in copies:
        assert counts["environments_tenant"] - first == counts["notifications_message"]
    assert copies[0]["notifications_message"] < copies[-1]["notifications_message"]
    assert [writer.is_alive() for writer in writers] == [False, False]
    type_("restore", tmp_path / "copy0", "--reason", "x", "--replace", database_name())
    assert Message.objects.count() == copies[0]["notifications_message"]
    assert Tenant.objects.count() - first == Message.objects.count()
    assert AuditEvent.objects.filter(action="portal.restore").exists()
    assert Message.objects.waiting().count() == 0
    assert Message.objects.aggregate(total=Sum("attempts"))["total"] == 0


def test_a_copy_does_not_begin_anew_at_every_write(tmp_path, monkeypatch):
    """A write of somebody else after each step: the copy still ends, at the moment it began."""
    live, steps = tmp_path / "live.sqlite3", []
    with closing(sqlite3.connect(live)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE thing (text TEXT)")
        writer.executemany("INSERT INTO thing VALUES (?)", [("x" * 1000,)] * 1000)
        writer.commit()

        def told(_say):
            def progress(_status, remaining, _total):
                steps.append(remaining)
                assert len(steps) < 1000, "it begins anew again and again"
                writer.execute("INSERT INTO thing VALUES ('later')")
                writer.commit()

            return progress

        monkeypatch.setattr(sqlite, "live_path", lambda: live)
        monkeypatch.setattr(sqlite, "STEP", 10)
        monkeypatch.setattr(sqlite, "_told", told)
        sqlite.dump(tmp_path / "copy.sqlite3", lambda text: None)
    assert len(steps) > 20
    assert steps == sorted(steps, reverse=True)
    with closing(sqlite3.connect(tmp_path / "copy.sqlite3")) as copy:
        assert copy.execute("SELECT COUNT(*) FROM thing").fetchone() == (1000,)
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
