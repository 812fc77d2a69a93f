"""Looks for secrets in anything, in every form a tool may have given them; knows nothing of how the portal masks."""

from __future__ import annotations

import base64
import html
import json
import re
import secrets
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

# Shorter pieces occur by chance: in ids, in times, in ciphertext.
SHORTEST = 8
# How zlib begins, and PostgreSQL's way to write bytes.
DEFLATED = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
HEX = re.compile(rb"(?:\\\\x|X')((?:[0-9A-Fa-f]{2})+)")
LONGEST_PACKED = 2_000_000
ODD = "&<\"/+%'\\= "


def random_word(length: int = 20) -> str:
    """Letters and digits."""
    return secrets.token_hex(length)[:length]


def random_odd() -> str:
    """With every sign that JSON, HTML, URLs and shells escape, in the middle where it hurts."""
    return f"p{random_word(9)}{ODD}{random_word(9)}"


def random_key() -> str:
    """Several lines, as keys come."""
    lines = "\n".join(base64.b64encode(secrets.token_bytes(36)).decode() for _ in range(4))
    return f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----"


@dataclass(frozen=True)
class Leak:
    """Where which secret was found, in which form; the secret itself is not told."""

    place: str
    secret: str
    form: str
    around: str

    def __str__(self) -> str:
        return f"{self.secret} ({self.form}) in {self.place}: {self.around}"


class Scanner:
    """Secrets by name; `leaks` finds them in bytes."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self._needles: dict[bytes, tuple[str, str]] = {}

    def add(self, **named: str) -> None:
        for name, value in named.items():
            self.secrets[name] = value
            for form, needle in forms(value):
                self._needles.setdefault(needle, (name, form))

    def leaks(self, place: str, data: bytes | str) -> Iterator[Leak]:
        body = data.encode() if isinstance(data, str) else data
        for needle, (name, form) in self._needles.items():
            at = body.find(needle)
            if at != -1:
                before, after = body[max(0, at - 60) : at], body[at + len(needle) : at + len(needle) + 20]
                around = f"{before.decode(errors='replace')}[...]{after.decode(errors='replace')}"
                yield Leak(place, name, form, around)

    def leaks_in_store(self, place: str, data: bytes) -> Iterator[Leak]:
        """As `leaks`, and inside what a database keeps compressed, or writes as hex in its dump."""
        yield from self.leaks(place, data)
        for found in HEX.findall(data):
            yield from self.leaks_in_store(f"{place}, hex", bytes.fromhex(found.decode()))
        for at in (match.start() for match in DEFLATED.finditer(data)):
            inside = _inflated(data[at : at + LONGEST_PACKED])
            if len(inside) >= SHORTEST:
                yield from self.leaks(f"{place}, compressed", inside)

    def forms_found(self, data: bytes | str) -> set[tuple[str, str]]:
        return {(leak.secret, leak.form) for leak in self.leaks("", data)}


def _inflated(data: bytes) -> bytes:
    """What zlib makes of it, as far as it goes."""
    out, stream = b"", zlib.decompressobj()
    try:
        for at in range(0, len(data), 512):
            out += stream.decompress(data[at : at + 512], 10**7)
    except zlib.error:
        return out
    return out


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """(name of the form, bytes to look for), of the whole and of each line of several."""
    wholes = {value, value.strip()}
    lines = {line.strip() for line in value.splitlines()} if "\n" in value else set()
    # The frame of a key is no secret.
    lines = {line for line in lines if len(line) >= SHORTEST and not line.startswith("-----")}
    for whole in wholes:
        yield from _forms(whole, "")
    for line in lines:
        yield from _forms(line, "line, ")


def _forms(text: str, prefix: str) -> Iterator[tuple[str, bytes]]:
    data = text.encode()
    yield f"{prefix}plain", data
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield f"{prefix}JSON", once.encode()
        yield f"{prefix}JSON of Go", _go(once).encode()
        yield f"{prefix}JSON in JSON", json.dumps(once, ensure_ascii=ascii_only)[1:-1].encode()
        yield f"{prefix}JSON in a page", html.escape(once).encode()
    for spelled in (quote(text), quote(text, safe=""), quote_plus(text)):
        yield f"{prefix}URL", spelled.encode()
        yield f"{prefix}URL", _lower(spelled).encode()
    yield f"{prefix}HTML", html.escape(text).encode()
    yield f"{prefix}hex", data.hex().encode()
    yield f"{prefix}hex", data.hex().upper().encode()
    yield f"{prefix}UTF-16", text.encode("utf-16-le")
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\0" * offset + data)
            core = whole[-(-offset * 8 // 6) : (offset + len(data)) * 8 // 6]
            yield f"{prefix}base64 at {offset}", core


def _go(text: str) -> str:
    """As Go writes JSON: Terraform's own way."""
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _lower(text: str) -> str:
    head, *rest = text.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])


def report(leaks: Iterable[Leak]) -> str:
    """One line a leak, the first of each kind, for a test's message."""
    seen: dict[tuple[str, str], Leak] = {}
    for leak in leaks:
        seen.setdefault((leak.place, leak.secret), leak)
    return "\n".join(map(str, list(seen.values())[:40]))
