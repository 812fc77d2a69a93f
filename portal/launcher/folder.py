"""One launcher per data folder, and the traces of one that was killed."""

import fcntl
import json
import os
import signal
import time
from pathlib import Path

from portal.launcher.errors import Stop
from portal.launcher.processes import Child, Seen, look_at, still_there, terraforms
from portal.launcher.terminal import Terminal

# A worker that has to save Terraform's state first.
LEFTOVER_SECONDS = {"worker": 300.0}
ORDINARY_SECONDS = 20.0


class DataFolder:
    """The lock on a data folder and the list of what runs for it. Held until the process ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.lock_path = folder / "launcher.lock"
        self.list_path = folder / "processes.json"

    def lock(self, address: str) -> None:
        """Errors: `Stop` when another launcher has the folder."""
        self.descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # A record lock: children do not inherit it, and it ends with this process however that ends.
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            running = os.read(self.descriptor, 200).decode(errors="replace").strip()
            raise Stop(f"Gatehouse is already running here: {running or self.folder}.") from None
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{address} (pid {os.getpid()})\n".encode(), 0)

    def unlock(self) -> None:
        """Let others have the folder again before this process ends."""
        os.close(self.descriptor)

    def remember(self, children: list[Child]) -> None:
        """Write down what runs, for the case that this launcher is killed."""
        rows = [
            {"name": child.name, "pid": seen.pid, "start": seen.start}
            for child in children
            if child.running() and (seen := look_at(child.pid)) is not None
        ]
        draft = self.list_path.with_suffix(".draft")
        draft.write_text(json.dumps(rows))
        draft.replace(self.list_path)

    def end_leftovers(self, terminal: Terminal) -> None:
        """End what a killed launcher left running, workers first and together."""
        found = [(name, seen) for name, seen in self._listed() if still_there(seen)]
        for part in ("worker", "scheduler", "web", "sandbox"):
            mine = [seen for name, seen in found if name.split("-")[0] == part]
            if mine:
                terminal.say(part, "left over from a launcher that was killed: ending it", "warn")
                _end(mine, LEFTOVER_SECONDS.get(part, ORDINARY_SECONDS))
        self.remember([])

    def _listed(self) -> list[tuple[str, Seen]]:
        try:
            rows = json.loads(self.list_path.read_text())
        except (OSError, ValueError):
            return []
        return [(row["name"], Seen(row["pid"], 0, row["pid"], "", row["start"])) for row in rows]


def _end(processes: list[Seen], seconds: float) -> None:
    for seen in processes:
        os.kill(seen.pid, signal.SIGTERM)
    for terraform in terraforms({seen.pid for seen in processes}):
        os.kill(terraform.pid, signal.SIGINT)
    end = time.monotonic() + seconds
    while any(still_there(seen) for seen in processes) and time.monotonic() < end:
        time.sleep(0.1)
    for seen in processes:
        if still_there(seen):
            os.killpg(seen.pid, signal.SIGKILL)
