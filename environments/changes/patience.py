"""Waiting for a database that is away: a phase that has begun is not given up for that.

Terraform runs on meanwhile, its lines wait in a file, its last state in its folder.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)
T = TypeVar("T")
# What every backend raises while it cannot be reached, or not be written to.
AWAY = (OperationalError, InterfaceError)
PAUSE = 1.0


def patiently(act: Callable[[], T]) -> T:
    """Do it, again and again while the database is away, for settings.DATABASE_PATIENCE_SECONDS at most.

    What `act` does must be harmless when done twice: an answer may have got lost. Inside somebody's
    transaction nothing can be tried again; there it is done once.
    """
    deadline = time.monotonic() + settings.DATABASE_PATIENCE_SECONDS
    while True:
        try:
            return act()
        except AWAY:
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            logger.warning("The database is away; waiting for it", exc_info=True)
            connection.close()
            time.sleep(PAUSE)
