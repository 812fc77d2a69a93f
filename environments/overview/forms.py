"""What narrows the fleet."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from environments.models import Environment, Tenant
from environments.registry import SEVERITY
from portal.accounts.models import User

TEXT = forms.TextInput(attrs={"type": "search", "autocomplete": "off"})


class FleetFilter(forms.Form):
    """Tenant, class and a part of the name; the state is chosen by links. Wrong values narrow nothing."""

    tenant = forms.ChoiceField(label=_("Tenant"), required=False)
    environment_class = forms.ChoiceField(
        label=_("Class"), required=False, choices=[("", _("all")), *Environment.Class.choices]
    )
    q = forms.CharField(label=_("Name"), required=False, max_length=80, widget=TEXT)
    state = forms.ChoiceField(
        required=False, choices=[("", ""), *((state, state) for state in SEVERITY)], widget=forms.HiddenInput
    )

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data, auto_id="fleet-%s")
        field = self.fields["tenant"]
        assert isinstance(field, forms.ChoiceField)
        names = [(row.slug, row.name) for row in Tenant.objects.visible_to(user)]
        field.choices = [("", _("all")), *names]

    @property
    def chosen(self) -> dict[str, str]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    def narrow(self, rows: QuerySet[Environment]) -> QuerySet[Environment]:
        """By everything but the state, which only the finished rows know."""
        chosen = self.chosen
        if "tenant" in chosen:
            rows = rows.filter(tenant__slug=chosen["tenant"])
        if "environment_class" in chosen:
            rows = rows.filter(environment_class=chosen["environment_class"])
        if "q" in chosen:
            rows = rows.filter(name__icontains=chosen["q"])
        return rows
