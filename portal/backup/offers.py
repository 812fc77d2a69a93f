"""After a restore: which states lie newer in the buckets of their accounts than in the backup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from environments.models import Environment
from environments.runs.states.recovering import copies_of
from portal.aws.errors import AwsError

# Nobody can be asked: the other buckets would only take their time to say the same.
NO_WAY = frozenset({"NoCredentials", "Unreachable"})


def offers(keys: Sequence[str]) -> Iterator[str]:
    """A line for each of these environments whose account has a bucket for copies of states."""
    places = Environment.objects.select_related("tenant", "account").exclude(account=None)
    for place in places.exclude(account__state_bucket="").order_by("tenant__slug", "slug"):
        if place.key not in keys:
            continue
        try:
            newer = [copy for copy in copies_of(place) if copy.newer]
        except AwsError as refused:
            yield f"{place.key}: its bucket could not be looked at: {refused.message}"
            if refused.code in NO_WAY:
                return
            continue
        if not newer:
            yield f"{place.key}: the bucket has nothing newer"
            continue
        newest = newer[0]
        yield (
            f"{place.key}: the bucket has serial {newest.serial} of {newest.modified:%Y-%m-%d %H:%M} UTC, newer "
            f"than the backup's; to take it: manage.py recover_state {place.key} --newest"
        )
