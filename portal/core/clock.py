"""Two clocks: the database's, which all processes share, and this process's own.

Leases, expiries and anything compared between machines use `now()`; durations and labels that stay
on one machine use `local_now()`.
"""

from datetime import UTC, datetime

from django.db import connection


def local_now() -> datetime:
    """The time of this machine, aware, UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """The time of the database, aware, UTC.

    One query on PostgreSQL: the wall clock, not the start of the transaction, so that a lease renewed
    late in a long transaction is not renewed into the past. SQLite runs inside the process and reads the
    clock of this machine, on which all its users must be; asking it would tell nothing new.
    """
    if connection.vendor == "sqlite":
        return local_now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        value: datetime = cursor.fetchone()[0]
    return value.astimezone(UTC)
