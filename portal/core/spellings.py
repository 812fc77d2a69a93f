"""How one secret may look once tools have quoted, escaped or encoded it."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

MIN_NEEDLE = 4
# Shorter lines of a secret of several lines are too common to look for on their own.
MIN_LINE = 6
BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")


@dataclass(frozen=True)
class Needle:
    """A text to look for. In base64 the characters beside it may hold some bits of the secret too."""

    text: str
    is_base64: bool = False
    bits_before: bool = False
    bits_after: bool = False

    def span(self, text: str, start: int) -> tuple[int, int]:
        """What to mask around a match at `start`."""
        stop = start + len(self.text)
        if self.bits_before and start and text[start - 1] in BASE64:
            start -= 1
        if self.bits_after and text[stop : stop + 1] in BASE64 and stop < len(text):
            stop += 1
        while self.is_base64 and text[stop : stop + 1] == "=":
            stop += 1
        return start, stop


def spellings(secret: str) -> Iterator[Needle]:
    """Every needle of one secret: raw, JSON- and HTML-escaped, URL-encoded, hex, base64; and each line of several."""
    normal = secret.replace("\r\n", "\n")
    wholes = {secret, normal, normal.strip()}
    lines = {line.strip() for line in secret.splitlines()} if len(secret.splitlines()) > 1 else set()
    for whole in wholes:
        if len(whole) >= MIN_NEEDLE:
            yield from _encodings(whole)
    for line in lines:
        if len(line) >= MIN_LINE:
            yield from _encodings(line)


def _encodings(value: str) -> Iterator[Needle]:
    texts = {value} | _json_escapes(value)
    for inner in _json_escapes(value):
        # JSON inside JSON: a policy document in a line of Terraform's machine-readable log.
        texts |= _json_escapes(inner)
    texts |= _url_encodings(value) | _html_escapes(value)
    hexadecimal = value.encode("utf-8", "surrogatepass").hex()
    texts |= {hexadecimal, hexadecimal.upper()}
    yield from (Needle(text) for text in texts)
    yield from _base64_cores(value.encode("utf-8", "surrogatepass"))


def _json_escapes(value: str) -> set[str]:
    """As Python, JavaScript and Go (which also escapes <, > and &) write it inside a JSON string."""
    texts = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    for text in list(texts):
        go = text
        for sign in "<>&\u2028\u2029":
            go = go.replace(sign, f"\\u{ord(sign):04x}")
        texts |= {go, text.replace("/", "\\/")}
    return texts


def _html_escapes(value: str) -> set[str]:
    """As Django, Go and others write it in a page."""
    django = html.escape(value)
    return {
        django,
        html.escape(value, quote=False),
        django.replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
    }


def _url_encodings(value: str) -> set[str]:
    data = value.encode("utf-8", "surrogatepass")
    texts = {quote(data, safe=""), quote(data), quote_plus(data)}
    return texts | {_lower_escapes(text) for text in texts}


def _lower_escapes(text: str) -> str:
    head, *rest = text.split("%")
    return "%".join([head, *(piece[:2].lower() + piece[2:] for piece in rest)])


def _base64_cores(data: bytes) -> Iterator[Needle]:
    """The characters that any base64 text must contain which encodes something around `data`.

    base64 works in groups of three bytes, so the secret can begin at three places of a group. Only the
    characters made of nothing but its bits are certain.
    """
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * offset + data).decode()
            first, last = -(-offset * 8 // 6), (offset + len(data)) * 8 // 6
            core = text[first:last]
            if len(core) >= MIN_NEEDLE:
                yield Needle(
                    core,
                    is_base64=True,
                    bits_before=offset > 0,
                    bits_after=(offset + len(data)) * 8 % 6 > 0,
                )
