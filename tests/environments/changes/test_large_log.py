"""A log of 200,000 lines: the page opens near its end, any line and any text is found, and none is missing."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from environments.changes import log, log_places
from environments.changes.log import LogWriter
from environments.changes.models import Change, LogChunk
from portal.core.redaction import Redactor
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db

LINES = 200_000
# A piece is at most this much text and one row more; JSON adds its signs.
MOST_BYTES = log.PAGE_BYTES + log.CHUNK + 64 * 1024


def line(number: int) -> str:
    return f"module.part{number % 97}.aws_instance.n{number}: Creation complete after {number % 7}s [id=i-{number:09d}]"


def write(change: Change, lines: int, *, at_a_time: int = 5000) -> None:
    writer = LogWriter(change, change.fence, Redactor([]))
    for start in range(1, lines + 1, at_a_time):
        writer.write("\n".join(line(n) for n in range(start, min(start + at_a_time, lines + 1))))
    writer.close()


@pytest.fixture
def change(staging, operator, fake) -> Change:
    return step(ask_for(staging, operator))


@pytest.fixture
def long(change) -> Change:
    write(change, LINES)
    return fresh(change)


def asked(client, change, name="log", **query):
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(reverse(f"changes:{name}", args=[change.uuid]), query)
    assert answer.status_code == 200
    return answer, len(captured)


def test_no_line_of_a_long_log_is_missing_and_each_piece_is_small(long, viewer, sign_in):
    client, after, texts, most = sign_in(viewer), 0, [], 0
    while after < long.log_size:
        answer, _queries = asked(client, long, after=after)
        part = answer.json()
        assert part["offset"] == after
        assert part["first_line"] == sum(text.count("\n") for text in texts) + 1
        texts.append(part["text"])
        after, most = part["next"], max(most, len(answer.content))
    print(f"log of {LINES:,} lines, {long.log_size:,} bytes: {len(texts)} pieces of at most {most:,} bytes")
    assert most < MOST_BYTES
    wanted = hashlib.sha256("".join(line(n) + "\n" for n in range(1, LINES + 1)).encode()).hexdigest()
    assert hashlib.sha256("".join(texts).encode()).hexdigest() == wanted
    # The whole log is streamed, and is the same.
    download = sign_in(viewer).get(reverse("changes:log_download", args=[long.uuid]))
    assert download.streaming
    digest = hashlib.sha256()
    for piece in download:
        assert len(piece) <= 4 * log.CHUNK
        digest.update(piece)
    assert digest.hexdigest() == wanted


def test_the_page_opens_near_the_end_in_as_many_queries_as_a_short_one(
    long, staging, operator, viewer, sign_in
):
    client = sign_in(viewer)
    short = step(ask_for(staging, operator))
    # Both ended: what a queue asks of an open one has nothing to do with its log.
    Change.objects.update(status="succeeded", due_at=None)
    asked(client, short, "detail")
    page, queries = asked(client, long, "detail")
    after = int(page.content.decode().partition('data-log-after="')[2].partition('"')[0])
    assert asked(client, long, after=after)[0].json()["first_line"] == LINES - log_places.TAIL_LINES + 1
    # One more: the row in which the tail begins.
    assert queries <= asked(client, short, "detail")[1] + 1
    print(f"change page with {LINES:,} log lines: {len(page.content):,} bytes, {queries} queries")
    assert long.log_size - after < 200 * log_places.TAIL_LINES


def test_any_line_is_reached_at_once(long, viewer, sign_in):
    client = sign_in(viewer)
    for wanted in (1, 2, 4999, 5000, 5001, 77_777, LINES):
        answer, queries = asked(client, long, line=wanted)
        part = answer.json()
        assert part["first_line"] == wanted
        assert part["text"].partition("\n")[0] == line(wanted)
        assert part["lines"] == LINES
        assert len(answer.content) < MOST_BYTES
        assert queries < 15


def test_a_line_or_place_that_is_not_there_is_an_answer_too(long, viewer, sign_in):
    client = sign_in(viewer)
    for query in ({"line": LINES + 5}, {"after": long.log_size}, {"after": "9" * 17}):
        part = asked(client, long, **query)[0].json()
        assert part["text"] == ""
    for query in ({"line": "x"}, {"line": "-4"}, {"after": "9" * 40}, {"line": "9" * 40}, {"after": "²"}):
        assert asked(client, long, **query)[0].json()["first_line"] == 1


def test_a_text_is_found_wherever_it_is(long, viewer, sign_in):
    client = sign_in(viewer)
    for number in (1, 64_321, LINES):
        found = asked(client, long, "log_search", q=f"[ID=i-{number:09d}]")[0].json()
        while found["next"] is not None and not found["matches"]:
            found = asked(client, long, "log_search", q=f"[id=i-{number:09d}]", after=found["next"])[0].json()
        assert found["matches"] == [{"line": number, "text": line(number)}]
    assert asked(client, long, "log_search", q="")[0].json()["matches"] == []


def everything(change, text, **options):
    numbers, after, looks = [], 0, 0
    while after is not None:
        found = log_places.search(change, text, after=after, **options)
        assert len(found.matches) <= log_places.MOST_MATCHES
        numbers += [match["line"] for match in found.matches]
        after, looks = found.next, looks + 1
    return numbers, looks


def test_many_matches_come_in_parts_and_each_once(long):
    numbers, looks = everything(long, "part13.aws", seconds=60)
    assert numbers == [n for n in range(1, LINES + 1) if n % 97 == 13]
    assert looks == len(numbers) // log_places.MOST_MATCHES + 1


def test_a_search_ends_in_time_and_goes_on_where_it_was(long):
    """No time at all: one row a look, and still every line is found once."""
    wanted = [n for n in range(1, LINES + 1) if n % 97 == 13]
    numbers, looks = everything(long, "part13.aws", seconds=0)
    assert numbers == wanted
    assert looks > 150
    first = log_places.search(long, "nothing like it", seconds=0)
    assert first.next is not None
    assert 0 < first.line < 2000


def test_neither_search_nor_piece_holds_the_log_in_memory(long):
    log_places.search(long, "warm up")
    tracemalloc.start()
    try:
        log_places.search(long, "nothing like it", seconds=60)
        log_places.tail(long)
        log.read(long, after=long.log_size // 2)
        for _piece in log.lines(long):
            pass
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    print(
        f"peak of search, tail, piece and download: {peak / 1e6:.1f} MB of a log of {long.log_size / 1e6:.1f} MB"
    )
    assert peak < 8_000_000 < long.log_size


def test_a_write_of_many_lines_is_kept_in_small_rows(change):
    LogWriter(change, change.fence, Redactor([])).write("\n".join(line(n) for n in range(1, 20_001)))
    rows = list(change.log_chunks.order_by("offset"))
    assert len(rows) > 10
    assert all(len(row.text) <= log.CHUNK and row.text.endswith("\n") for row in rows)
    assert [row.first_line for row in rows[1:]] == [row.first_line + row.lines for row in rows[:-1]]
    assert [row.offset for row in rows[1:]] == [row.offset + row.size for row in rows[:-1]]
    assert fresh(change).log_lines == 20_000 + change.log_lines


def test_a_line_without_end_is_read_and_searched_in_stretches(change):
    """One line of 3 MB, of letters of several bytes: cut where no letter is, found once, counted as one line."""
    before = change.log_lines
    text = "é" * 700_000 + "needle" + "한" * 500_000 + "needle"
    LogWriter(change, change.fence, Redactor([])).write(text + "\nafter it")
    change = fresh(change)
    assert change.log_lines == before + 2
    whole, after = "", log_places.offset_of(change, before + 1)
    while after < change.log_size:
        part = log.read(change, after=after)
        assert len(part.text.encode()) <= log.PAGE_BYTES + 4 * log.CHUNK
        assert "�" not in part.text
        whole, after = whole + part.text, part.next
    assert whole == text + "\nafter it\n"
    assert everything(change, "needle")[0] == [before + 1]
    assert everything(change, "NEEDLE", seconds=0)[0][0] == before + 1
    assert everything(change, "after it")[0] == [before + 2]


def test_who_may_not_see_it_finds_nothing(change, viewer, outsider, client, sign_in):
    url = reverse("changes:log_search", args=[change.uuid])
    assert client.get(url).status_code == 302
    assert sign_in(outsider).get(url).status_code == 404
    assert sign_in(viewer).post(url).status_code == 405


def test_rows_written_before_rows_were_small_are_read_alike(change):
    """A row of an earlier version may hold megabytes."""
    start, first = change.log_size, change.log_lines + 1
    text = "".join(line(n) + "\n" for n in range(1, 30_001))
    LogChunk.objects.create(
        change=change,
        offset=start,
        size=len(text),
        first_line=first,
        lines=30_000,
        fence=change.fence,
        text=text,
    )
    Change.objects.filter(pk=change.pk).update(log_size=start + len(text), log_lines=first + 29_999)
    change = fresh(change)
    part = log.read(change, after=log_places.offset_of(change, first + 20_000))
    assert part.text.startswith(line(20_001))
    assert part.first_line == first + 20_000
    assert everything(change, "n29999:", seconds=0)[0] == [first + 29_998]
