"""What the frame around every page knows: the product's name, the inbox count, the clock, the sandbox."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from environments.models import AwsAccount
from environments.registry import registry
from portal.accounts.models import User

PRODUCT_NAME = "Gatehouse"


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Counts are callables: a fragment that shows no frame asks the database nothing.

    `sandbox` here says that every account the person may see is simulated; pages of one environment
    put their own account's answer in its place.
    """
    user = getattr(request, "user", None)
    person = user if isinstance(user, User) and user.is_active else None

    @cache
    def nav_counts() -> dict[str, int]:
        return {"inbox": registry.inbox_count(person)} if person else {}

    @cache
    def sandbox() -> bool:
        if person is None:
            return False
        accounts = AwsAccount.objects.visible_to(person).order_by()
        kinds = set(accounts.values_list("kind", flat=True).distinct())
        return kinds == {AwsAccount.Kind.SANDBOX.value}

    return {
        "product_name": PRODUCT_NAME,
        "nav_counts": nav_counts,
        "sandbox": sandbox,
        "display_tz": timezone.get_current_timezone_name(),
    }
