"""Compare-and-set: the only way a status moves."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from portal.core.errors import StaleState


def compare_and_set(queryset: models.QuerySet[Any], /, **changes: Any) -> None:
    """Change the one row that `queryset` still matches.

    The queryset carries the expected state (`Change.objects.filter(pk=1, status="approved")`), so the
    check and the write are one statement and no other process can come between them.

    Raises StaleState when no row matched, or more than one did (then nothing is changed).
    """
    # The savepoint takes a too wide write back even if the caller catches the error.
    with transaction.atomic(using=queryset.db):
        if queryset.update(**changes) != 1:
            raise StaleState(
                _("Somebody else was faster: this is no longer in the state you saw."),
                hint=_("Reload the page to see what happened."),
            )
