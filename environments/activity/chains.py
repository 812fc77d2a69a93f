"""One event's place in its hash chain, checked anew whenever it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from portal.audit.models import GENESIS, AuditEvent


@dataclass(frozen=True)
class Place:
    """The neighbours of an event, and whether the hashes say what they should.

    `intact`: the event's hash is that of its content. `follows`: it carries its predecessor's hash.
    `followed`: its successor carries this event's hash; None while it is the newest.
    """

    previous: AuditEvent | None
    next: AuditEvent | None
    intact: bool
    follows: bool
    followed: bool | None

    @property
    def is_sound(self) -> bool:
        return self.intact and self.follows and self.followed is not False


def place_of(event: AuditEvent) -> Place:
    """Two queries. A hole before the event counts as a wrong predecessor."""
    chain = AuditEvent.objects.filter(chain=event.chain)
    previous = chain.filter(sequence=event.sequence - 1).first()
    following = chain.filter(sequence=event.sequence + 1).first()
    expected = previous.hash if previous else (GENESIS if event.sequence == 1 else "")
    return Place(
        previous=previous,
        next=following,
        intact=event.computed_hash() == event.hash,
        follows=event.previous_hash == expected,
        followed=following.previous_hash == event.hash if following else None,
    )
