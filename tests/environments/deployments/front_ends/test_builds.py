"""What is accepted as a build, and with which headers its files are served."""

from __future__ import annotations

import io
import stat
import zipfile
from typing import Any

import pytest

from environments.deployments.front_ends import builds, headers
from portal.core.errors import InvalidInput
from tests.environments.deployments.front_ends.conftest import FIRST, zipped


def refusal(content: bytes) -> str:
    with pytest.raises(InvalidInput) as refused:
        builds.read(content, "index.html")
    assert list(refused.value.errors) == ["file"]
    return str(refused.value.errors["file"][0])


def with_entry(name: str, *, mode: int = 0, body: str = "x") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("index.html", "")
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, body)
    return written.getvalue()


def test_equal_builds_have_equal_names_however_they_are_packed() -> None:
    one = builds.read(zipped(FIRST), "index.html")
    folder = {f"dist/{path}": content for path, content in reversed(FIRST.items())}
    two = builds.read(zipped({**folder, "dist/.DS_Store": "", "__MACOSX/dist/._x": ""}), "index.html")
    assert one.sha256 == two.sha256
    assert set(two.files) == set(FIRST)
    assert builds.read(zipped({**FIRST, "index.html": "other"}), "index.html").sha256 != one.sha256


@pytest.mark.parametrize(
    "name",
    ["../up.txt", "a/../../up.txt", "/etc/passwd", "a//b", "./a", "c:/x", "a\\..\\b", "line\nbreak", "a/."],
)
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    assert "does not stay inside" in refusal(with_entry(name))


def test_links_and_devices_are_refused() -> None:
    for mode in (stat.S_IFLNK | 0o777, stat.S_IFCHR | 0o600, stat.S_IFIFO | 0o600):
        assert "“link”" in refusal(with_entry("link", mode=mode, body="/etc/passwd"))
    assert "link" not in builds.read(with_entry("plain", mode=stat.S_IFREG | 0o644), "index.html").files


def test_what_is_no_build_is_refused() -> None:
    assert "no zip" in refusal(b"")
    assert "no zip" in refusal(b"PK\x03\x04 cut off")
    assert "no index.html" in refusal(zipped({"main.js": "x", "a/index.html": ""}))
    assert "no file" in refusal(zipped({}))
    assert "longer than S3" in refusal(with_entry("x" * 1025))
    with pytest.warns(UserWarning, match="Duplicate"):
        assert "twice" in refusal(with_entry("index.html"))


def test_a_broken_file_in_it_is_refused() -> None:
    broken = bytearray(zipped({"index.html": "a" * 1000}))
    broken[45] ^= 0xFF
    assert "no zip that can be read" in refusal(bytes(broken))


def test_the_limits_hold_whatever_the_zip_says_of_itself(settings: Any) -> None:
    bomb = zipped({"index.html": "", "zeros.bin": b"\0" * 5_000_000})
    assert len(bomb) < 20_000
    settings.FRONT_END_MAX_UNPACKED = 4 * 1024 * 1024
    assert "Unpacked it is larger than the 4 MB" in refusal(bomb)
    # Its directory may claim less than there is.
    lying = bomb.replace((5_000_000).to_bytes(4, "little"), (5).to_bytes(4, "little"))
    assert lying != bomb
    refusal(lying)
    settings.FRONT_END_MAX_UNPACKED = 200 * 1024 * 1024
    settings.FRONT_END_MAX_BYTES = 1000
    assert "The zip is larger" in refusal(bomb)
    settings.FRONT_END_MAX_BYTES = 1_000_000
    settings.FRONT_END_MAX_FILES = 2
    assert "more than 2 files" in refusal(zipped({"index.html": "", "a": "", "b": ""}))


@pytest.mark.parametrize(
    ("path", "age"),
    [
        ("index.html", headers.ASK_FIRST),
        ("docs/a.HTML", headers.ASK_FIRST),
        ("assets/index-BkX9a2Qz.js", headers.FOR_EVER),
        ("static/main.3f2a1b9c.css", headers.FOR_EVER),
        ("static/main.3f2a1b9c.js.map", headers.FOR_EVER),
        ("main.js", headers.FIVE_MINUTES),
        # A word is no hash: what it names may change under the same name.
        ("user-settings.js", headers.FIVE_MINUTES),
        ("app.component.js", headers.FIVE_MINUTES),
        ("service-worker.js", headers.ASK_FIRST),
        ("manifest.json", headers.ASK_FIRST),
        ("site.webmanifest", headers.ASK_FIRST),
    ],
)
def test_only_a_name_with_a_hash_is_kept_for_ever(path: str, age: str) -> None:
    assert headers.cache_control(path) == age


def test_types_go_by_the_name() -> None:
    assert headers.content_type("a/B.JS") == "text/javascript; charset=utf-8"
    assert headers.content_type("font.woff2") == "font/woff2"
    assert headers.content_type("LICENSE") == "application/octet-stream"
