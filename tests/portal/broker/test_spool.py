"""The spool loses nothing, hands nothing out twice, and knows who is dead."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from portal.broker.owner import proof_of_death, safe_name
from portal.broker.spool import Binding, Spool, written_at


def run_python(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments], stdout=subprocess.PIPE, text=True
    )


def test_messages_come_in_the_order_they_were_put(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "broker")
    for number in range(20):
        spool.put("changes", {"number": number})
    taken = [spool.take("changes") for _ in range(20)]
    assert [claim.payload["number"] for claim in taken if claim] == list(range(20))
    assert spool.take("changes") is None


def test_only_the_owner_of_the_account_can_read_the_folder(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir(mode=0o755)
    spool = Spool(tmp_path / "broker")
    spool.put("changes", {})
    modes = {path.stat().st_mode & 0o077 for path in [spool.root, *spool.root.rglob("*")]}
    assert modes == {0}


def test_a_claimed_message_is_neither_waiting_nor_lost(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put("changes", {"id": 1})
    claim = spool.take("changes")
    assert claim is not None
    assert spool.size("changes") == 0
    assert spool.give_back(claim.tag)
    assert spool.size("changes") == 1
    again = spool.take("changes")
    assert again is not None and again.payload == {"id": 1}
    spool.acknowledge(again.tag)
    assert not spool.give_back(again.tag)
    assert spool.take("changes") is None


def test_a_message_given_back_keeps_its_place(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(3):
        spool.put("changes", {"number": number})
    first = spool.take("changes")
    assert first is not None
    spool.give_back(first.tag)
    other = Spool(tmp_path).take("changes")
    assert other is not None and other.payload == {"number": 0}


def test_the_claims_of_a_killed_process_come_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(5):
        spool.put("changes", {"number": number})
    consumer = run_python(
        """
        import sys, time
        from pathlib import Path
        from portal.broker.spool import Spool
        spool = Spool(Path(sys.argv[1]))
        spool.acknowledge(spool.take("changes").tag)
        spool.take("changes"), spool.take("changes")
        print("taken", flush=True)
        time.sleep(60)
        """,
        str(tmp_path),
    )
    assert consumer.stdout is not None
    assert consumer.stdout.readline() == "taken\n"
    assert spool.recover() == 0, "a living consumer keeps its claims"
    consumer.send_signal(signal.SIGKILL)
    consumer.wait()
    consumer.stdout.close()
    assert spool.recover() == 2
    rest = [spool.take("changes") for _ in range(4)]
    assert [claim.payload["number"] for claim in rest if claim] == [1, 2, 3, 4]


def test_a_forked_child_that_outlives_the_owner_does_not_keep_its_claims(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put("changes", {})
    parent = run_python(
        """
        import os, sys, time
        from pathlib import Path
        from portal.broker.spool import Spool
        spool = Spool(Path(sys.argv[1]))
        spool.take("changes")
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        print(child, flush=True)
        time.sleep(60)
        """,
        str(tmp_path),
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        parent.kill()
        parent.wait()
        assert spool.recover() == 1
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stdout.close()


def test_two_spools_of_one_process_do_not_take_each_other_for_dead(tmp_path: Path) -> None:
    first, second = Spool(tmp_path), Spool(tmp_path)
    first.put("changes", {})
    claim = first.take("changes")
    assert second.recover() == 0
    assert claim is not None and first.give_back(claim.tag)
    # Had the second opened and closed our lock file, another process could now take the lock.
    folder = tmp_path / "claimed" / first.owner
    checker = run_python(
        """
        import sys
        from pathlib import Path
        from portal.broker.owner import proof_of_death
        with proof_of_death(Path(sys.argv[1])) as dead:
            print(dead)
        """,
        str(folder),
    )
    assert checker.communicate()[0] == "False\n"
    with proof_of_death(folder) as dead:
        assert not dead


def _consume(root: str, results: str) -> None:
    spool, got, idle_since = Spool(Path(root)), [], time.monotonic()
    while time.monotonic() - idle_since < 1.5:
        claim = spool.take("changes")
        if claim is not None:
            got.append((claim.payload["id"], len(claim.payload["body"])))
            spool.acknowledge(claim.tag)
            idle_since = time.monotonic()
    Path(results).write_text(json.dumps(got))


def _produce(root: str, start: int, count: int) -> None:
    spool = Spool(Path(root))
    for number in range(start, start + count):
        spool.put("changes", {"id": number, "body": "x" * 50_000}, durable=False)


def test_two_producers_and_two_consumers_at_once(tmp_path: Path) -> None:
    root = str(tmp_path / "broker")
    context = multiprocessing.get_context("spawn")
    outputs = [tmp_path / "a.json", tmp_path / "b.json"]
    processes = [context.Process(target=_consume, args=(root, str(path))) for path in outputs]
    processes += [context.Process(target=_produce, args=(root, start, 300)) for start in (0, 300)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    got = [tuple(row) for path in outputs for row in json.loads(path.read_text())]
    assert sorted(got) == [(number, 50_000) for number in range(600)]
    assert not list((tmp_path / "broker" / "unreadable").iterdir())


def test_an_unreadable_file_is_set_aside_and_the_next_message_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path)
    spool.put("changes", {"id": 1})
    (broken,) = (tmp_path / "ready" / "changes").iterdir()
    broken.write_text('{"id":')
    spool.put("changes", {"id": 2})
    claim = spool.take("changes")
    assert claim is not None and claim.payload == {"id": 2}
    assert [path.name for path in (tmp_path / "unreadable").iterdir()] == [broken.name]
    assert broken.name in caplog.text


def test_old_messages_of_a_queue_with_a_time_to_live_are_dropped(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put("pidbox", {"old": True})
    time.sleep(0.05)
    assert spool.take("pidbox", max_age=0.01) is None
    assert spool.size("pidbox") == 0


def test_queues_with_any_name_stay_inside_the_folder(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "broker")
    for queue in ("../escape", "..", ".hidden", "a/b", "celery@host.pidbox"):
        spool.put(queue, {"queue": queue})
        claim = spool.take(queue)
        assert claim is not None and claim.payload == {"queue": queue}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broker"]
    assert len({safe_name(name) for name in (".", "..", "%2E", "%2E.")}) == 4


def test_bindings_of_a_dead_process_are_forgotten_with_their_queue(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.bind("changes", Binding("changes", None, "changes"))
    spool.bind("pidbox", Binding("", None, "mine", spool.owner))
    spool.bind("pidbox", Binding("", None, "theirs", "host~boot~1~2~ffff"))
    spool.put("theirs", {})
    spool.recover()
    assert {row.queue for row in spool.bindings("pidbox")} == {"mine"}
    assert [row.queue for row in spool.bindings("changes")] == ["changes"]
    assert not (tmp_path / "ready" / "theirs").exists()


def test_names_tell_when_they_were_given(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put("changes", {})
    (name,) = (path.name for path in (tmp_path / "ready" / "changes").iterdir())
    assert abs(written_at(name) - time.time()) < 5


def test_it_works_again_after_the_folder_was_wiped(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "broker")
    spool.put("changes", {"id": 1})
    spool.take("changes")
    import shutil

    shutil.rmtree(tmp_path / "broker")
    Spool(tmp_path / "broker").put("changes", {"id": 2})
    claim = spool.take("changes")
    assert claim is not None and claim.payload == {"id": 2}
