"""With which headers a file of a build is served: its type by its name, its age by whether its name has a hash."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

# By name alone: what a machine's own tables say differs from machine to machine.
TYPES: Final = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".eot": "application/vnd.ms-fontobject",
    ".gif": "image/gif",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
UNKNOWN: Final = "application/octet-stream"
PAGES: Final = (".html", ".htm")
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_FIRST: Final = "no-cache"
FIVE_MINUTES: Final = "public, max-age=300"
# "index-BkX9a2Qz.js", "main.3f2a1b9c.css": what bundlers make of content. A word without a digit is none.
_HASH = re.compile(r"[.-](?=[A-Za-z_-]*[0-9])([A-Za-z0-9_-]{8,})\.[A-Za-z0-9.]+$")
# A stale one of these keeps a browser on an old build for good.
_ALWAYS_ASKED = re.compile(r"(^|/)(sw|service-worker|registerSW)\.js$|\.webmanifest$|(^|/)manifest\.json$")


def is_page(path: str) -> bool:
    """Whether the file names others: pages come last, so that whatever they name is there."""
    return path.lower().endswith(PAGES)


def content_type(path: str) -> str:
    return TYPES.get(PurePosixPath(path.lower()).suffix, UNKNOWN)


def cache_control(path: str) -> str:
    if is_page(path) or _ALWAYS_ASKED.search(path):
        return ASK_FIRST
    return FOR_EVER if _HASH.search(path) else FIVE_MINUTES
