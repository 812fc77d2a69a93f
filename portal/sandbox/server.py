"""Starting and stopping the sandbox."""

import logging
import os
import signal
import socket
import threading
from pathlib import Path
from types import FrameType

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from portal.sandbox import accounts
from portal.sandbox.application import SandboxApplication
from portal.sandbox.gate import RequestGate
from portal.sandbox.keeper import Keeper

log = logging.getLogger(__name__)

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_BACKLOG = 128
_LAST_REQUESTS = 5.0  # seconds that requests in flight get when the sandbox is told to stop


def serve(*, host: str, port: int, folder: Path, save_every: float, follow_parent: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, then save. Port 0 takes a free one; the address is printed.

    Changed content is saved in between too, at most every ``save_every`` seconds. With
    ``follow_parent`` the end of the process that started this one counts as a signal.

    Raises DataFolderError when the folder cannot be used, OSError when the port is taken.
    """
    stop, parent = _stop_on_signals(), os.getppid()
    gate = RequestGate()
    listener = _bind(host, port)
    keeper = Keeper(folder, gate, save_every)
    accounts.install()
    keeper.restore()
    server = make_server(
        host,
        port,
        SandboxApplication(gate, keeper),
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    # Only now: who connects while the content is being restored is told at once that nobody is there.
    listener.listen(_BACKLOG)
    answering = threading.Thread(target=server.serve_forever, name="requests", daemon=True)
    answering.start()
    print(f"sandbox ready at http://{host}:{server.port}", flush=True)  # noqa: T201 - who starts it waits for this line
    while not stop.wait(1.0):
        keeper.save_if_due()
        if follow_parent and os.getppid() != parent:
            log.info("the process that started this one has ended")
            break
    server.shutdown()
    if keeper.unsaved_changes and not keeper.save(_LAST_REQUESTS, last_chance=True):
        log.error("the last changes are lost: %s", keeper.error)
    server.server_close()
    listener.close()
    keeper.close()
    # A signal that comes while Python winds itself up would otherwise look like a violent end.
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _bind(host: str, port: int) -> socket.socket:
    # By ourselves: werkzeug prints advice of its own and ends the process when the port is taken.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    # Both, again and again: Ctrl-C reaches the whole process group, and a supervisor sends TERM as well.
    for number in _STOP_SIGNALS:
        signal.signal(number, on_signal)
    return stop
