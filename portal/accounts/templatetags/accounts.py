"""The tabs of the settings pages, also for pages that other rooms add to them."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils.translation import gettext as _

from portal.accounts.hooks import settings_tabs_for
from portal.accounts.models import User

register = template.Library()


@register.inclusion_tag("components/tabs.html", takes_context=True)
def settings_tabs(context: Context, current: str) -> dict[str, Any]:
    """{% settings_tabs "profile" %}: the settings this person may open; `current` is a tab's key."""
    user = context["user"]
    tabs = settings_tabs_for(user) if isinstance(user, User) else []
    return {
        "label": _("Settings"),
        "tabs": [{"url": tab.path(), "label": tab.label, "current": tab.key == current} for tab in tabs],
    }
