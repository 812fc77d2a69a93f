"""A blueprint's files and archives as nobody would write them: readable refusals and nothing else."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from environments.blueprints import archives
from environments.blueprints.archives import ArchiveDamaged
from environments.blueprints.hcl import BlueprintUnreadable, parse_text
from environments.blueprints.variables import read_interface

# Pieces that HCL is made of, so that what comes out is nearly HCL.
PIECES = [
    'variable "a" {',
    "}",
    "\n",
    "type = ",
    "string",
    "list(",
    "map(object({ a = optional(",
    ")",
    "default = ",
    '"${',
    '"',
    "<<EOT\n",
    "EOT",
    "[",
    "]",
    "{",
    "=",
    "for k, v in ",
    " : ",
    "=>",
    "...",
    "validation {",
    "condition = ",
    "error_message = ",
    "#",
    "/*",
    "*/",
    "\\u0000",
    "%{ if ",
    "é",
    "1e400",
    "-",
    "!",
    "sensitive = true",
    "null",
]
nearly_hcl = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=60).map("".join)
in_a_hurry = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@in_a_hurry
@given(text=nearly_hcl)
def test_nearly_hcl_is_read_or_refused(text: str) -> None:
    try:
        parse_text(text, file="main.tf")
    except BlueprintUnreadable as refused:
        assert refused.message.startswith("main.tf")
        assert refused.hint


@in_a_hurry
@given(
    text=nearly_hcl.map(str.encode) | st.binary(max_size=300),
    name=st.sampled_from(["main.tf", "main.tf.json"]),
)
def test_a_folder_of_anything_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, name: str
) -> None:
    folder = tmp_path_factory.mktemp("blueprint")
    (folder / name).write_bytes(text)
    try:
        read_interface(folder)
    except BlueprintUnreadable as refused:
        assert name in refused.message


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "(" * 59 + ")" * 59,
        'a = "' + "${" * 5000,
        "a = " + "1 + " * 20_000 + "1",
        "a" * 600_000,
        "a = <<EOT\n" + "x\n" * 100_000,
        "\n".join(f'variable "v{number}" {{}}' for number in range(5000)),
    ],
    ids=["brackets", "parentheses", "templates", "sum", "large", "heredoc", "many"],
)
def test_size_and_depth_end_in_words_and_in_time(text: str) -> None:
    began = time.process_time()
    try:
        parse_text(text, file="main.tf")
    except BlueprintUnreadable as refused:
        assert refused.message.startswith("main.tf")
    assert time.process_time() - began < 30


def test_json_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.tf.json").write_text("[" * 200_000)
    with pytest.raises(BlueprintUnreadable, match=r"main\.tf\.json"):
        read_interface(tmp_path)


def good_archive() -> bytes:
    return archives.pack(
        {"blueprints/a/main.tf": (b"x" * 5000, False), "modules/b/main.tf": (b"y" * 5000, True)}
    )


@in_a_hurry
@given(seed=st.integers(0, 2**32), cuts=st.integers(0, 4), inside=st.booleans())
def test_a_damaged_archive_is_refused_or_whole(seed: int, cuts: int, inside: bool) -> None:
    """Flipped bytes, in the compressed file and in the tar within; what is accepted has harmless paths."""
    chance = random.Random(seed)
    data = bytearray(gzip.decompress(good_archive()) if inside else good_archive())
    for _cut in range(cuts):
        data[chance.randrange(len(data))] = chance.randrange(256)
    if chance.random() < 0.3:
        del data[chance.randrange(len(data)) :]
    whole = gzip.compress(bytes(data)) if inside else bytes(data)
    try:
        content = archives.read(whole)
    except ArchiveDamaged:
        return
    assert all(".." not in path.split("/") and not path.startswith("/") for path in content)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(kind: bytes) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("main.tf")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ArchiveDamaged):
        archives.read(buffer.getvalue())


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("main.tf")
        member.size = 200 * 1024 * 1024
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(ArchiveDamaged, match="larger"):
        archives.read(buffer.getvalue())
