"""What differs between two proposals of one run: for whoever voted on the earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import ngettext

from environments.changes import comparing
from environments.changes.models import Change, Proposal
from environments.runs.models import ResourceChange
from environments.runs.titles import VERBS
from portal.accounts.models import User

SHOWN = 8
AT_A_TIME = 200
Index = dict[str, tuple[str, int]]


@dataclass(frozen=True)
class Differences:
    """Addresses by what became of them since the earlier proposal; `verbs` has each one's action in words."""

    added: tuple[str, ...]
    altered: tuple[str, ...]
    dropped: tuple[str, ...]
    verbs: dict[str, str]

    @property
    def here(self) -> frozenset[str]:
        """Addresses of the current proposal that were not there like this."""
        return frozenset((*self.added, *self.altered))

    def lines(self) -> list[str]:
        """One line a kind of difference, with the first few resources by name."""
        told = (
            (
                self.added,
                ngettext(
                    "%(n)s resource more: %(names)s", "%(n)s resources more: %(names)s", len(self.added)
                ),
            ),
            (
                self.altered,
                ngettext(
                    "%(n)s resource otherwise: %(names)s",
                    "%(n)s resources otherwise: %(names)s",
                    len(self.altered),
                ),
            ),
            (
                self.dropped,
                ngettext("%(n)s no longer: %(names)s", "%(n)s no longer: %(names)s", len(self.dropped)),
            ),
        )
        return [text % {"n": len(found), "names": self._named(found)} for found, text in told if found]

    def _named(self, addresses: tuple[str, ...]) -> str:
        named = ", ".join(f"{self.verbs[address]} {address}" for address in addresses[:SHOWN])
        return named + (" …" if len(addresses) > SHOWN else "")


def between(before: Proposal, after: Proposal) -> Differences:
    """Compare by address, action and every attribute shown; reads alter nothing and are left out."""
    old, new = index(before), index(after)
    return Differences(
        added=tuple(address for address in new if address not in old),
        altered=tuple(address for address, _then, _now in altered(old, new)),
        dropped=tuple(address for address in old if address not in new),
        verbs={**_verbs(old), **_verbs(new)},
    )


def since_vote(change: Change, user: User) -> Differences | None:
    """What differs from the proposal this person last voted on; None when they voted on none or on this one."""
    seen = comparing.last_voted(change, user)
    if seen is None or change.proposal is None or seen.digest == change.proposal.digest:
        return None
    return between(seen, change.proposal)


def index(proposal: Proposal) -> Index:
    """Address -> (action, primary key), in reading order; the attributes stay in the database."""
    rows = ResourceChange.objects.filter(proposal=proposal).altering().order_by("rank", "position")
    return {address: (action, pk) for address, action, pk in rows.values_list("address", "action", "pk")}


def altered(old: Index, new: Index) -> Iterator[tuple[str, ResourceChange, ResourceChange]]:
    """Resources of both that are meant differently, a few read at a time however large the plans."""
    both = [address for address in new if address in old]
    for start in range(0, len(both), AT_A_TIME):
        part = both[start : start + AT_A_TIME]
        wanted = [index[address][1] for address in part for index in (old, new)]
        rows = ResourceChange.objects.in_bulk(wanted)
        for address in part:
            then, now = rows[old[address][1]], rows[new[address][1]]
            if _meant(then) != _meant(now):
                yield address, then, now


def _meant(row: ResourceChange) -> object:
    return row.action, row.detail


def _verbs(rows: Index) -> dict[str, str]:
    return {address: str(VERBS.get(action, action)).lower() for address, (action, _pk) in rows.items()}
