"""The filters of the audit log, for its pages, exports and API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from environments.models import Tenant
from portal.audit.models import PORTAL_CHAIN, Outcome
from portal.audit.querysets import AuditEventQuerySet, Filters

# What browsers send, and what people and programs write.
TIMES = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
MOMENT = {"type": "datetime-local"}


def _text(label: Any, hint: Any = "") -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "placeholder": hint})
    return forms.CharField(label=label, required=False, max_length=200, widget=widget)


def _moment(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs=MOMENT, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, input_formats=TIMES, widget=widget)


class ActivityFilter(forms.Form):
    """`tenant` is a tenant's slug, or "portal" for the portal's own chain."""

    tenant = forms.ChoiceField(label=_("Tenant"), required=False)
    environment = _text(_("Environment"), _("production"))
    actor = _text(_("Who"), _("name"))
    action = _text(_("Action"), _("change. or change.approve"))
    target = _text(_("Target"), _("name or id"))
    outcome = forms.ChoiceField(
        label=_("Outcome"), required=False, choices=[("", _("all")), *Outcome.choices]
    )
    since = _moment(_("From"))
    until = _moment(_("Until"))

    def __init__(self, data: Any, *, tenants: Sequence[Tenant], portal: bool) -> None:
        super().__init__(data, auto_id="activity-%s")
        self.portal = portal
        field = self.fields["tenant"]
        assert isinstance(field, forms.ChoiceField)
        own = [(PORTAL_CHAIN, _("the portal itself"))] if portal else []
        field.choices = [("", _("all")), *((tenant.slug, tenant.name) for tenant in tenants), *own]

    @property
    def chosen(self) -> dict[str, Any]:
        """What was filled in; empty while something is wrong."""
        return {name: value for name, value in self.cleaned_data.items() if value} if self.is_valid() else {}

    def narrowed(self, tenants: Sequence[Tenant]) -> list[Tenant]:
        """The readable tenants that the found events may be of; none when the portal's may be among them."""
        wanted = self.chosen.get("tenant")
        if wanted or not self.portal:
            return [tenant for tenant in tenants if wanted in (None, tenant.slug)]
        return []

    def narrow(self, events: AuditEventQuerySet) -> AuditEventQuerySet:
        """The events that fit; none while a filter is wrong, so that nobody takes all for some."""
        if not self.is_valid():
            return events.none()
        chosen = self.chosen
        if chosen.get("tenant") == PORTAL_CHAIN:
            events = events.for_chains([PORTAL_CHAIN])
            chosen.pop("tenant")
        return events.matching(Filters(**chosen))
