"""Reading a log while it grows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.terraform.follow import LogFollower, follow


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_a_line_is_handed_out_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "log"
    follower = follow(path)
    assert follower.read() == []
    append(path, b"one\ntw")
    assert follower.read() == ["one"]
    assert follower.read() == []
    assert follower.offset == 4
    append(path, b"o\n\nthree\r\nfo")
    assert follower.read() == ["two", "", "three"]
    assert follower.rest() == ["fo"]
    assert follower.offset == path.stat().st_size
    assert follower.rest() == []


def test_another_follower_goes_on_from_the_offset(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"one\ntwo\nthr")
    first = follow(path)
    assert first.read() == ["one", "two"]
    append(path, b"ee\n")
    assert follow(path, first.offset).rest() == ["three"]


def test_a_huge_line_is_cut_and_what_follows_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, b"x" * 5000 + b"\nnext\n")
    follower = LogFollower(path, max_line=100)
    lines: list[str] = []
    while batch := follower.read(limit=64) or (follower.offset == 0 and [None]):
        lines += [line for line in batch if line is not None]
    assert lines == ["x" * 100 + " [cut: 4900 more bytes]", "next"]
    assert follower.offset == path.stat().st_size


def test_bytes_that_are_no_text_do_not_stop_it(tmp_path: Path) -> None:
    append(tmp_path / "log", b"\xff\xfe ok\n\x00\n")
    assert follow(tmp_path / "log").rest() == ["\ufffd\ufffd ok", "\x00"]


@pytest.mark.parametrize("limit", [1, 3, 7, 1024])
@given(data=st.lists(st.binary(max_size=20), max_size=12))
def test_nothing_lost_nothing_twice(
    data: list[bytes], limit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("follow") / "log"
    follower = follow(path)
    lines: list[str] = []
    for part in data:
        append(path, part)
        lines += follower.read(limit)
    lines += follower.rest()
    whole = b"".join(data)
    wanted = whole.split(b"\n")
    if wanted[-1] == b"":
        wanted.pop()
    assert lines == [line.removesuffix(b"\r").decode(errors="replace") for line in wanted]
    assert follower.offset == len(whole)
