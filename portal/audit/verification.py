"""Proof that the log is whole: every record, every link, every head, against the signed checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast

from portal.audit import checkpoints, triggers
from portal.audit.checkpoints import Checkpoint
from portal.audit.models import GENESIS, HASHED, JSON_COLUMNS, AuditEvent, ChainHead, hash_of


@dataclass(frozen=True)
class Finding:
    """The first thing wrong in a chain: which record, and what."""

    chain: str
    sequence: int
    what: str


@dataclass
class Report:
    """What was read and what was found; `gaps` are losses that a person has accepted on the record."""

    events: int = 0
    chains: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)
    gaps: list[Checkpoint] = field(default_factory=list)


def verify(only: str = "") -> Report:
    """Read the whole log (or one chain) and report the first broken record of each chain.

    Safe while others write: a record that arrives meanwhile is read or not, never reported.
    """
    report = Report()
    absent = triggers.missing(connection)
    if absent:
        report.findings.append(
            Finding("", 0, f"the database no longer refuses changes: {', '.join(absent)} missing or changed")
        )
    chains = set(AuditEvent.objects.order_by().values_list("chain", flat=True).distinct())
    chains |= {*ChainHead.objects.values_list("chain", flat=True), *checkpoints.known_chains()}
    for chain in [only] if only else sorted(chains):
        report.chains += 1
        finding = _verify_chain(chain, report)
        if finding:
            report.findings.append(finding)
    return report


def _verify_chain(chain: str, report: Report) -> Finding | None:
    head = ChainHead.objects.filter(pk=chain).first()
    points, damage = checkpoints.read(chain)
    signed = _expected(points, report)
    report.checkpoints += len(points)
    finding, last, at_head = _walk(chain, head.sequence if head else 0, signed, report)
    if finding:
        return finding
    return (
        _check_head(chain, head, last, at_head)
        or _check_end(chain, last, signed)
        or (Finding(chain, last, f"checkpoints: {damage}") if damage else None)
    )


def _expected(points: list[Checkpoint], report: Report) -> dict[int, Checkpoint]:
    """Which hash was signed for which sequence; a gap takes back what it says was lost."""
    signed: dict[int, Checkpoint] = {}
    for point in points:
        if point.kind == "gap":
            report.gaps.append(point)
            signed = {sequence: known for sequence, known in signed.items() if sequence < point.sequence}
        signed[point.sequence] = point
    return signed


def _walk(
    chain: str, head_sequence: int, signed: Mapping[int, Checkpoint], report: Report
) -> tuple[Finding | None, int, str]:
    """Follow the links: (first finding, sequence of the last record, hash where the head points)."""
    sequence, previous, at_head = 0, GENESIS, GENESIS
    rows = _rows(chain)
    while True:
        try:
            row = next(rows, None)
        except (ValueError, TypeError) as error:
            return Finding(chain, sequence + 1, f"cannot be read: {error}"), sequence, at_head
        if row is None:
            return None, sequence, at_head
        sequence += 1
        what = _check_row(row, sequence, previous, signed)
        if what:
            return Finding(chain, sequence, what), sequence, at_head
        report.events += 1
        previous = row["hash"]
        if sequence == head_sequence:
            at_head = previous


def _rows(chain: str) -> Iterator[dict[str, Any]]:
    texts = {f"{name}_text": Cast(name, TextField()) for name in JSON_COLUMNS}
    plain = [name for name in HASHED if name not in JSON_COLUMNS]
    query = AuditEvent.objects.filter(chain=chain).order_by("sequence").values("hash", *plain, **texts)
    for row in query.iterator(chunk_size=2000):
        yield {key.removesuffix("_text"): value for key, value in row.items()}


def _check_row(row: Mapping[str, Any], sequence: int, previous: str, signed: Mapping[int, Checkpoint]) -> str:
    if row["sequence"] != sequence:
        return f"is missing; the next one is {row['sequence']}"
    if hash_of(row) != row["hash"]:
        return "was altered: its content does not have its hash"
    if row["previous_hash"] != previous:
        return "does not follow the record before it"
    point = signed.get(sequence)
    if point and point.hash != row["hash"]:
        return f"is not the record that was signed on {point.at}"
    return ""


def _check_head(chain: str, head: ChainHead | None, last: int, at_head: str) -> Finding | None:
    if head is None:
        return Finding(chain, last, "the head of the chain is missing") if last else None
    if head.sequence > last:
        return Finding(
            chain, last + 1, f"is missing: the end was cut off, the chain had {head.sequence} records"
        )
    if head.hash != at_head:
        return Finding(chain, head.sequence, "the head of the chain does not name this record")
    # Read again: whoever recorded since our first look has moved the head as well.
    again = ChainHead.objects.filter(pk=chain).first()
    if again is None or again.sequence < last:
        place = again.sequence if again else 0
        return Finding(chain, place + 1, f"the head of the chain was moved back from {last} to {place}")
    return None


def _check_end(chain: str, last: int, signed: Mapping[int, Checkpoint]) -> Finding | None:
    furthest = max(signed, default=0)
    if furthest <= last:
        return None
    at = signed[furthest].at
    return Finding(
        chain, last + 1, f"is missing: the end was cut off, {furthest} records were signed on {at}"
    )
