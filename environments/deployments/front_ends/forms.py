"""Forms of the front ends' page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from environments.deployments.front_ends.places import FrontEnd

LONGEST_REASON = 2000


def _reason() -> forms.CharField:
    return forms.CharField(
        label=_("Why"),
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


def _name(front_end: FrontEnd) -> str:
    same = front_end.key == front_end.bucket
    return front_end.key if same else f"{front_end.key} ({front_end.bucket})"


class UploadForm(forms.Form):
    """A build for one of the environment's front ends."""

    front_end = forms.ChoiceField(label=_("Front end"))
    file = forms.FileField(
        label=_("The build, as a zip"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": "input", "accept": ".zip"}),
        help_text=_("The folder that your build tool writes, with its index page at the top."),
    )
    label = forms.CharField(
        label=_("What people call it"),
        required=False,
        max_length=120,
        help_text=_("Such as v1.4.0 or a commit."),
    )
    reason = _reason()

    def __init__(self, *args: Any, front_ends: Sequence[FrontEnd], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["front_end"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.address, _name(one)) for one in front_ends]

    def wanted(self) -> dict[str, Any]:
        """What actions.request_release takes."""
        data = self.cleaned_data
        return {
            "front_end": data["front_end"],
            "content": data["file"].read(),
            "label": data["label"],
            "reason": data["reason"],
        }


class RollbackForm(forms.Form):
    reason = _reason()
