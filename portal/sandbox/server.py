"""Starting and stopping the sandbox."""

import logging
import signal
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

_LAST_REQUESTS = 5.0  # seconds that requests in flight get when the sandbox is told to stop


def serve(*, host: str, port: int, folder: Path) -> None:
    """Serve until SIGTERM or SIGINT, then save. Port 0 takes a free one; the address is printed.

    Raises DataFolderError when the folder cannot be used, OSError when the port is taken.
    """
    stop = _stop_on_signals()
    gate = RequestGate()
    keeper = Keeper(folder, gate)
    accounts.install()
    keeper.restore()
    server = make_server(
        host, port, SandboxApplication(gate, keeper), threaded=True, request_handler=MotoRequestHandler
    )
    answering = threading.Thread(target=server.serve_forever, name="requests", daemon=True)
    answering.start()
    print(f"sandbox ready at http://{host}:{server.port}", flush=True)  # noqa: T201 - who starts it waits for this line
    while not stop.wait(1.0):
        keeper.save_if_due()
    server.shutdown()
    if keeper.unsaved_changes and not keeper.save(_LAST_REQUESTS, last_chance=True):
        log.error("the last changes are lost: %s", keeper.error)
    server.server_close()
    keeper.close()


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    # Both, again and again: Ctrl-C reaches the whole process group, and a supervisor sends TERM as well.
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop
