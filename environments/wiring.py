"""What this app adds to its own registry and to the pages of people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _


def register() -> None:
    from environments import people, searching
    from environments.registry import Tab, registry
    from portal.accounts.hooks import Panel, SettingsTab, hooks

    registry.tabs += [Tab("overview", "Overview", 10, "environments:detail")]
    registry.searches.append(searching.search)
    hooks.visible_people = people.colleagues
    hooks.summaries = people.summaries
    hooks.panels.append(Panel("memberships", 10, "environments/_memberships.html", people.panel))
    hooks.settings_tabs.append(SettingsTab("aws", 35, _("AWS accounts"), "environments:all_accounts"))
