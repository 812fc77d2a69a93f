"""Secrets never reach a log, a page or the audit: masking of known values and of what looks secret.

`Redactor` knows the values (redact a text, or a stream piece by piece); `mask_mapping` goes by the names
of keys; `LogFilter` guards the process's own log by pattern.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from portal.core.spellings import MIN_NEEDLE, Needle, spellings

MASK = "(secret)"
MIN_SECRET = 4
# Up to so many needles are searched one by one.
FEW = 400
# An unfinished line longer than this is passed on in parts, so that memory stays bounded.
LINE_LIMIT = 256 * 1024


class Redactor:
    """Masks given secrets in text, in every spelling tools print them in (spellings.py).

    Secrets shorter than 4 characters are ignored: masking them would blacken half of every log.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._needles: set[Needle] = set()
        # By their first characters: most needles of a large state are ruled out without a search.
        self._by_start: dict[str, list[Needle]] = {}
        self._spanning: list[Needle] = []
        self._longest = 0
        self._known: set[str] = set()
        self._buffer = ""
        self.add(secrets)

    def add(self, values: Iterable[str]) -> bool:
        """Mask these too, from now on (what a stream still holds back included); whether any of them is news."""
        new = {value for value in values if len(value) >= MIN_SECRET} - self._known
        self._known |= new
        for needle in {needle for value in new for needle in spellings(value)} - self._needles:
            self._needles.add(needle)
            self._by_start.setdefault(needle.text[:MIN_NEEDLE], []).append(needle)
            self._longest = max(self._longest, len(needle.text))
            if "\n" in needle.text:
                self._spanning.append(needle)
        return bool(new)

    def redact(self, text: str) -> str:
        """The text with every secret replaced by "(secret)"."""
        return _mask(text, self._spans(text))

    def blot(self, text: str) -> str:
        """Like `redact`, but the text keeps its length in bytes and its lines: for what is stored at offsets."""
        parts, position = [], 0
        for start, stop in self._spans(text):
            parts.append(text[position:start])
            parts += [_blot(line) for line in re.split(r"(\n)", text[start:stop])]
            position = stop
        return "".join([*parts, text[position:]])

    def feed(self, text: str) -> str:
        """The next piece of a stream in; whole lines that are surely clean out (maybe none yet).

        A secret cut in two by the pieces is found. Held back are the unfinished line and lines that may
        be the start of a secret of several lines.
        """
        self._buffer += text
        spans = self._spans(self._buffer)
        end = self._safe_end(spans)
        ready, self._buffer = self._buffer[:end], self._buffer[end:]
        return _mask(ready, [span for span in spans if span[1] <= end])

    def flush(self) -> str:
        """What `feed` still holds back: call it at the end of the stream."""
        ready, self._buffer = self._buffer, ""
        return self.redact(ready)

    def _safe_end(self, spans: list[tuple[int, int]]) -> int:
        """How much of the buffer can go out, whatever comes next."""
        buffer = self._buffer
        end = buffer.rfind("\n") + 1
        if len(buffer) - end > LINE_LIMIT:
            # The reserve covers a secret that starts now and the stray characters around base64.
            end = len(buffer) - self._longest - 4
        tail = max(0, end - self._longest)
        for needle in self._spanning:
            # Only a start that reaches the end of the buffer can still become a match.
            start = buffer.find(needle.text[0], tail, end)
            while start != -1:
                if needle.text.startswith(buffer[start:]):
                    end = buffer.rfind("\n", 0, start) + 1
                    break
                start = buffer.find(needle.text[0], start + 1, end)
        for start, stop in reversed(spans):
            if start < end < stop:
                end = start
        return end

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where secrets stand: (start, end) in order, overlaps joined."""
        found = []
        for needle in self._candidates(text):
            start = text.find(needle.text)
            while start != -1:
                found.append(needle.span(text, start))
                start = text.find(needle.text, start + 1)
        found.sort()
        joined: list[tuple[int, int]] = []
        for start, stop in found:
            if joined and start < joined[-1][1]:
                joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
            else:
                joined.append((start, stop))
        return joined

    def _candidates(self, text: str) -> Iterable[Needle]:
        """The needles that may be in the text: all of a few; of many those whose first characters are there."""
        if len(self._needles) < FEW:
            return self._needles
        starts = {text[at : at + MIN_NEEDLE] for at in range(len(text) - MIN_NEEDLE + 1)}
        return [needle for start in starts & self._by_start.keys() for needle in self._by_start[start]]


def _blot(text: str) -> str:
    """The mask in as many bytes as the text has; a line's end stays."""
    size = len(text.encode("utf-8", "surrogatepass"))
    return text if text == "\n" else MASK.ljust(size, "*") if size >= len(MASK) else "*" * size


def _mask(text: str, spans: list[tuple[int, int]]) -> str:
    parts, position = [], 0
    for start, stop in spans:
        parts += [text[position:start], MASK]
        position = stop
    return "".join([*parts, text[position:]])


SECRET_KEY = re.compile(
    r"passw(or)?d|passphrase|secret|token|private_?key|api_?key|access_?key|authorization|credential|cookie"
    r"|webhook|session_?id",
    re.IGNORECASE,
)
# Facts about a secret that a reader of the audit needs.
HARMLESS_KEY = re.compile(
    r"_(name|arn|prefix|at|days|count|version|changed|set|expires|scopes|fingerprint)$", re.IGNORECASE
)


def looks_secret(key: str) -> bool:
    """Whether a value under this name is to be masked."""
    return bool(SECRET_KEY.search(key)) and not HARMLESS_KEY.search(key)


def mask_mapping(obj: Any, keys: Iterable[str] = ()) -> Any:
    """A copy of nested mappings and lists, with values masked whose key looks secret or is in `keys`.

    True, False and None stay: they tell that something is set, not what.
    """
    named = {key.lower() for key in keys}

    def walk(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                key: MASK if _hides(str(key), inner, named) else walk(inner) for key, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [walk(inner) for inner in value]
        return value

    return walk(obj)


def _hides(key: str, value: Any, named: set[str]) -> bool:
    return (key.lower() in named or looks_secret(key)) and not (value is None or isinstance(value, bool))


FORMS = [
    (re.compile(r"\b(ghs_[A-Za-z0-9]+_)[A-Za-z0-9_-]+"), rf"\1{MASK}"),
    (re.compile(r"\b(?:gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|xox[abpros]-[\w-]{10,})"), MASK),
    (re.compile(r"(//[^/\s:@]+:)[^/\s@]+(?=@)"), rf"\1{MASK}"),
    # As the HTTP library shows a Slack webhook at level DEBUG: without its host.
    (re.compile(r"(/services/)T\w+/B\w+/\w+"), rf"\1{MASK}"),
    (re.compile(r"(https?://hooks\.[^/\s]+/)[^\s\"']+"), rf"\1{MASK}"),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        MASK,
    ),
]
# (pattern, replacement): what must not stand in our own log even when nobody told us the value.
LOG_PATTERNS = [
    *FORMS,
    (
        re.compile(r"(?i)\b((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)(?:[a-z]+ +)?[^\s\"',}]+"),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), MASK),
    (
        re.compile(
            r"(?i)((?:passw(?:or)?d|secret|token|private[_-]?key|api[_-]?key|access[_-]?key(?:[_-]?id)?)"
            r"[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}\"']+)"
        ),
        rf"\1{MASK}",
    ),
]


def mask_patterns(text: str) -> str:
    """Text with everything that looks like a credential masked."""
    for pattern, replacement in LOG_PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def mask_forms(text: str) -> str:
    """Text with everything masked that is a credential by its form: passwords in addresses, private keys, tokens.

    Unlike `mask_patterns` it does not go by the words around a value, so "aws_x.token: Creating" stays readable.
    """
    for pattern, replacement in FORMS:
        text = pattern.sub(replacement, text)
    return text


class LogFilter(logging.Filter):
    """Put on a handler: rewrites records (message and traceback) before they are written."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # A log call with the wrong arguments must not fail the act it tells about.
            message = f"{record.msg} {record.args!r}"
        record.msg, record.args = mask_patterns(message), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask_patterns(record.exc_text)
        return True
