"""Live pages as browsers keep them open: one thread a page, which opens the change, asks for its live fragment and
follows its log, and at the end says how many lines it got and their hash. Used by memory.py, as a process of its own.

    python -m tests.benchmarks.memory_pages HOST:PORT COOKIE PAGES CHANGE,CHANGE,...    prints one JSON line
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import sys
import threading
import time
from typing import Any

POLL = 0.7
PATIENCE = 600


class LivePage(threading.Thread):
    """One open page; `told` is what it has to say when its change has ended."""

    def __init__(self, address: str, cookie: str, change: str) -> None:
        super().__init__(daemon=True)
        self.address, self.cookie, self.change = address, cookie, change
        self.connection = http.client.HTTPConnection(address, timeout=120)
        self.told: dict[str, Any] = {"change": change, "asked": 0, "failed": 0, "complete": False}

    def ask(self, path: str) -> bytes:
        self.told["asked"] += 1
        for attempt in (1, 2):
            try:
                self.connection.request("GET", path, headers={"Cookie": self.cookie})
                answer = self.connection.getresponse()
                body = answer.read()
                break
            except (http.client.HTTPException, OSError):
                # A connection kept alive too long, as browsers meet it: once more on a new one.
                self.connection.close()
                if attempt == 2:
                    raise
        if answer.status not in (200, 286):
            self.told["failed"] += 1
            return b""
        return body

    def run(self) -> None:
        page = self.ask(f"/changes/{self.change}/").decode()
        stamp = (re.search(r"stamp=([\d.]+)", page) or [""] * 2)[1]
        digest, lines, after, until = hashlib.sha256(), 0, 0, time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self.ask(f"/changes/{self.change}/live/?stamp={stamp}")
            body = self.ask(f"/changes/{self.change}/log/?after={after}")
            part = json.loads(body) if body else {"text": "", "next": after, "complete": False}
            digest.update(part["text"].encode())
            lines, grown, after = lines + part["text"].count("\n"), part["next"] > after, part["next"]
            if part["complete"]:
                self.told["complete"] = True
                break
            time.sleep(0.05 if grown and len(part["text"]) > 200_000 else POLL)
        self.told |= {"lines": lines, "sha256": digest.hexdigest()}


def main() -> None:
    address, cookie, number, changes = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4].split(",")
    pages = [LivePage(address, cookie, changes[n % len(changes)]) for n in range(number)]
    for page in pages:
        page.start()
        # People do not open 200 pages in one instant.
        time.sleep(0.02)
    for page in pages:
        page.join()
    print(json.dumps([page.told for page in pages]))


if __name__ == "__main__":
    main()
