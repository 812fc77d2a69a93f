"""Forms of the runs pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from environments.changes.models import Start
from environments.models import Environment
from environments.runs.models import Mode


class RunForm(forms.Form):
    """A request for a run; what the environment does not need is not asked."""

    mode = forms.ChoiceField(
        label=_("What shall Terraform do?"),
        choices=Mode.choices,
        initial=Mode.APPLY,
        widget=forms.RadioSelect,
    )
    definition = forms.ChoiceField(label=_("Definition"))
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Approvers read this first."),
    )
    ticket = forms.CharField(label=_("Ticket"), required=False, max_length=200)
    commit = forms.CharField(
        label=_("Commit"), required=False, max_length=300, help_text=_("Its address, https://…")
    )
    ci = forms.CharField(
        label=_("CI run"), required=False, max_length=300, help_text=_("Its address, https://…")
    )
    start = forms.ChoiceField(label=_("Start"), choices=Start.choices, initial=Start.ON_APPROVAL)
    start_at = forms.DateTimeField(
        label=_("Start at"),
        required=False,
        help_text=_("In your time zone; only for a start at a time."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    targets = forms.CharField(
        label=_("Only these addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line. A partial run; leave empty for all."),
    )
    replace = forms.CharField(
        label=_("Replace these addresses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line: destroyed and created again."),
    )
    skip_final_snapshot = forms.BooleanField(
        label=_("Make no final snapshot of the databases"),
        required=False,
        help_text=_("Only for a destroy. Without it the data is gone for good; approvers see this choice."),
    )
    confirm_name = forms.CharField(label=_("Name of the environment"), required=False, max_length=90)

    def __init__(self, *args: Any, environment: Environment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environment = environment
        field = self.fields["definition"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (str(row.number), f"{row.number} · {row.note or row.created_at.strftime('%Y-%m-%d')}")
            for row in environment.definitions.only("number", "note", "created_at")[:50]
        ]
        self.fields["confirm_name"].help_text = _("Only to destroy production: type %(key)s.") % {
            "key": environment.key
        }
        if not environment.is_production:
            del self.fields["confirm_name"]

    def _links(self, name: str) -> str:
        url = str(self.cleaned_data.get(name, "")).strip()
        if url:
            try:
                URLValidator(schemes=["http", "https"])(url)
            except ValidationError:
                raise ValidationError(_("This is no address; start with https://.")) from None
        return url

    def clean_commit(self) -> str:
        return self._links("commit")

    def clean_ci(self) -> str:
        return self._links("ci")

    def clean_targets(self) -> list[str]:
        return str(self.cleaned_data["targets"]).split()

    def clean_replace(self) -> list[str]:
        return str(self.cleaned_data["replace"]).split()

    @property
    def request_options(self) -> dict[str, Any]:
        """What actions.request_run takes."""
        data = self.cleaned_data
        links = [("Commit", data["commit"]), ("CI run", data["ci"])]
        return {
            "mode": data["mode"],
            "definition": self.environment.definitions.get(number=data["definition"]),
            "targets": data["targets"],
            "replace": data["replace"],
            "reason": data["reason"],
            "ticket": data["ticket"],
            "links": [{"title": title, "url": url} for title, url in links if url],
            "start": data["start"],
            "start_at": data["start_at"],
            "skip_final_snapshot": data["skip_final_snapshot"],
            "confirm_name": data.get("confirm_name", ""),
        }


class UnlockForm(forms.Form):
    reason = forms.CharField(label=_("How do you know that nobody works on this state?"), max_length=300)


class ResourceFilter(forms.Form):
    """What narrows the inventory."""

    q = forms.CharField(label=_("Address, id or ARN"), required=False, max_length=200)
    type = forms.ChoiceField(label=_("Type"), required=False)

    def __init__(self, data: Any, *, environment: Environment) -> None:
        super().__init__(data)
        types = environment.resources.order_by("type").values_list("type", flat=True).distinct()
        field = self.fields["type"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("all")), *((name, name) for name in types)]
