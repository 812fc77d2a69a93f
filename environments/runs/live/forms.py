"""Forms of the Drift tab: what people decide about drift rows and extras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class ReasonForm(forms.Form):
    """A reason and nothing else: adopt, remove, revert."""

    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, needed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needed


class UntilForm(forms.Form):
    """Live with it until a time: allow an extra."""

    until = forms.DateTimeField(
        label=_("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("In your time zone, at most a year from now. Then it counts again."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))


class IgnoreForm(UntilForm):
    """Leave a drift row, or one of its attributes, alone."""

    path = forms.ChoiceField(label=_("What to ignore"), required=False)
    field_order = ("path", "until", "reason")

    def __init__(self, *args: Any, row: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["path"]
        assert isinstance(field, forms.ChoiceField)
        paths = [one["path"] for one in row["attributes"]] if row["action"] == "update" else []
        field.choices = [("", _("the whole resource")), *((path, path) for path in paths)]


class AcceptForm(forms.Form):
    """The attribute whose value goes into the next definition."""

    path = forms.ChoiceField(label=_("Attribute"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=150, help_text=_("Kept with the definition.")
    )

    def __init__(self, *args: Any, paths: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["path"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = paths
        if len(paths) == 1:
            field.initial = paths[0][0]
