"""Every place in which somebody could find a secret, as (name, bytes)."""

from __future__ import annotations

import re
import subprocess
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from environments.changes.models import Change
from environments.models import Environment
from portal.audit.models import AuditEvent

LINK = re.compile(rb"""(?:href|src|hx-get|data-src|data-url)="(/[^"#]*)""")
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
MOST_PAGES = 250
# Of pages that differ only by their question, and of the records of one list.
MOST_ALIKE = 3
IDENTITY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")
# Signing out ends the visit; files of css and js are not made of data.
LEFT_OUT = ("/accounts/sign-out", "/static/", "/activity/export")


def pages(client: Client, who: str, starts: list[str], *, follow: bool) -> Iterator[tuple[str, bytes]]:
    """These pages, and with `follow` every page and fragment they lead to."""
    waiting, seen = deque(starts), set(starts)
    alike = Counter(map(_kind, starts))
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.popleft()
        answer = client.get(address)
        body = content_of(answer)
        yield f"{who} {address}", body + repr(sorted(answer.headers.items())).encode()
        if follow and answer.headers.get("Content-Type", "").startswith("text/html"):
            for found in LINK.findall(body):
                link = found.decode().replace("&amp;", "&")
                if link in seen or link.startswith(LEFT_OUT) or alike[_kind(link)] >= MOST_ALIKE:
                    continue
                seen.add(link)
                alike[_kind(link)] += 1
                waiting.append(link)


def _kind(address: str) -> str:
    """The address without what tells one record, or one question, from another."""
    return IDENTITY.sub("*", address.partition("?")[0])


def content_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def addresses(environment: Environment, *, changes: int = 100) -> list[str]:
    """Every address of the URLconf that a GET may open, with this environment's own values in its places.

    `changes`: of how many of them, the newest first.
    """
    found_changes = Change.objects.order_by("-pk").values_list("uuid", flat=True)[:changes]
    events = [str(uuid) for uuid in AuditEvent.objects.order_by("-pk").values_list("uuid", flat=True)[:8]]
    given: dict[str, list[str]] = {
        "tenant": [environment.tenant.slug],
        "environment": [environment.slug],
        "uuid": list(map(str, found_changes)),
        "number": [str(number) for number in range(1, environment.definitions.count() + 1)],
        "pk": ["1"],
    }
    found = []
    for route in _routes(get_resolver().url_patterns):
        if route.startswith(("state/", "accounts/sign-out", "style/")):
            continue
        own = dict(given)
        if route.startswith(("activity/", "api/v1/audit-events/")):
            own["uuid"] = events
        if "<str:environment>" in route:
            own["environment"] = [environment.key]
        own["slug"] = (
            ["vault"] if route.startswith(("blueprints/", "api/v1/blueprints/")) else [environment.slug]
        )
        if "tenants/<slug:slug>" in route:
            own["slug"] = [environment.tenant.slug]
        found += [f"/{address}" for address in _filled(route, own)]
    return found


def _routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _routes(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            yield route


def _filled(route: str, given: dict[str, list[str]]) -> list[str]:
    """The route with each value of its first unknown place; nothing for a place of which none is known."""
    place = PARAMETER.search(route)
    if place is None:
        return [route]
    values = given.get(place[2], [])
    return [one for value in values for one in _filled(route.replace(place[0], value, 1), given)]


def _read(path: Path) -> bytes:
    """The bytes of a file; those of a database by another process.

    Closing a file gives back every lock this process holds on it (POSIX), SQLite's own too: another process that
    ends would then take the log of a database in use away. https://www.sqlite.org/howtocorrupt.html, 2.2
    """
    if "sqlite3" not in path.name:
        return path.read_bytes()
    return subprocess.run(["cat", str(path)], capture_output=True, check=True).stdout


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file() and not path.is_symlink():
                yield f"file {path}", _read(path)


def database() -> Iterator[tuple[str, bytes]]:
    """The raw bytes of the database with everything in its log, and of what SQLite keeps beside it."""
    name = Path(connection.settings_dict["NAME"])
    for path in (name, name.with_name(name.name + "-wal"), name.with_name(name.name + "-shm")):
        if path.exists():
            yield f"database {path.name}", _read(path)
