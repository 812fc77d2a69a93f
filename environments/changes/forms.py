"""Forms of the changes pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from environments.changes import kinds
from environments.changes.lifecycle import OPEN, Status
from environments.changes.models import Change
from environments.changes.querysets import ChangeQuerySet
from environments.models import Environment, Tenant
from portal.accounts.models import User


class ChangeFilter(forms.Form):
    """What narrows a list of changes; wrong values narrow nothing."""

    tenant = forms.ChoiceField(label=_("Tenant"), required=False)
    environment = forms.ChoiceField(label=_("Environment"), required=False)
    kind = forms.ChoiceField(label=_("Kind"), required=False)
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("all")), ("open", _("open")), *Status.choices]
    )
    requester = forms.CharField(label=_("Requested by"), required=False, max_length=80)

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        tenants = Tenant.objects.visible_to(user)
        environments = Environment.objects.visible_to(user).select_related("tenant")
        self._choices("tenant", [(row.slug, row.name) for row in tenants])
        self._choices("environment", [(row.key, str(row)) for row in environments[:500]])
        self._choices("kind", [(name, name.replace("_", " ")) for name in kinds.names()])

    def _choices(self, name: str, values: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("all")), *values]

    @property
    def chosen(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    @property
    def is_narrowing(self) -> bool:
        return bool(self.chosen)

    def narrow(self, rows: ChangeQuerySet) -> QuerySet[Change]:
        chosen = self.chosen
        if "tenant" in chosen:
            rows = rows.filter(environment__tenant__slug=chosen["tenant"])
        if "environment" in chosen:
            tenant, _dot, slug = chosen["environment"].partition(".")
            rows = rows.filter(environment__tenant__slug=tenant, environment__slug=slug)
        if "kind" in chosen:
            rows = rows.filter(kind=chosen["kind"])
        if chosen.get("status") == "open":
            rows = rows.filter(status__in=OPEN)
        elif "status" in chosen:
            rows = rows.filter(status=chosen["status"])
        if "requester" in chosen:
            rows = rows.filter(requested_by_name__icontains=chosen["requester"])
        return rows
