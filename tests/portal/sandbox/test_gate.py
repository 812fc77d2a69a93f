"""The gate between requests and snapshots."""

import threading
import time

from portal.sandbox.gate import RequestGate


def test_only_changing_requests_count() -> None:
    gate = RequestGate()
    with gate.passing(changing=False):
        pass
    assert gate.changes == 0
    with gate.passing(changing=True):
        assert gate.changes == 0
    assert gate.changes == 1


def test_closing_waits_for_the_request_in_flight() -> None:
    gate = RequestGate()
    inside, leave = threading.Event(), threading.Event()

    def request() -> None:
        with gate.passing(changing=True):
            inside.set()
            leave.wait(5)

    thread = threading.Thread(target=request)
    thread.start()
    assert inside.wait(5)
    with gate.closed(patience=0.05) as empty:
        assert empty is False
    threading.Timer(0.1, leave.set).start()
    with gate.closed(patience=5) as empty:
        assert empty is True
        assert gate.changes == 1
    thread.join()


def test_requests_wait_while_it_is_closed() -> None:
    gate = RequestGate()
    passed_at: list[float] = []

    def request() -> None:
        with gate.passing(changing=False):
            passed_at.append(time.monotonic())

    with gate.closed(patience=1) as empty:
        assert empty
        thread = threading.Thread(target=request)
        thread.start()
        time.sleep(0.1)
        assert passed_at == []
        opened_at = time.monotonic()
    thread.join(5)
    assert passed_at
    assert passed_at[0] >= opened_at
