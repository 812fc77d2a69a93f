"""Forms of the state room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from environments.models import Environment
from environments.permissions import VERBS
from environments.runs.reasons import LONGEST_REASON
from environments.runs.states.token_actions import MOST_HOURS
from portal.accounts.models import User


def reason_field(label: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 3}))


class RollbackForm(forms.Form):
    reason = reason_field(_("Why"))


class ImportForm(forms.Form):
    """A state from a file or from an S3 address."""

    file = forms.FileField(
        label=_("State file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"class": "input"}),
        help_text=_("A terraform.tfstate, as “terraform state pull” gives it."),
    )
    s3 = forms.CharField(
        label=_("Or its S3 address"),
        required=False,
        max_length=1200,
        help_text=_(
            "Such as s3://bucket/path/terraform.tfstate; read with the role of the environment's account."
        ),
    )
    confirm_name = forms.CharField(
        label=_("Replace a state of other infrastructure"),
        required=False,
        max_length=200,
        help_text=_(
            "Only if the state kept here may be replaced by one of another lineage: type the environment's id."
        ),
    )
    reason = reason_field(_("Why"))

    def wanted(self) -> dict[str, Any]:
        """What state_actions.request_import takes."""
        data = self.cleaned_data
        upload = data["file"]
        content = upload.read() if isinstance(upload, UploadedFile) else None
        return {
            "content": content,
            "file_name": upload.name or "" if isinstance(upload, UploadedFile) else "",
            "s3": data["s3"],
            "confirm_name": data["confirm_name"].strip(),
            "reason": data["reason"],
        }


class StateTokenForm(forms.Form):
    """For whom a token that writes is, and for how long."""

    person = forms.ChoiceField(label=_("For whom"))
    hours = forms.IntegerField(label=_("Hours"), min_value=1, max_value=MOST_HOURS, initial=2)
    reason = reason_field(_("What for"))

    def __init__(self, *args: Any, environment: Environment, **options: Any) -> None:
        super().__init__(*args, **options)
        self.environment = environment
        field = self.fields["person"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(user.username, str(user)) for user in writers_of(environment)]

    @property
    def chosen(self) -> User:
        return User.objects.get(username=self.cleaned_data["person"])


def writers_of(environment: Environment) -> list[User]:
    """Who may be given a token that writes this state: operators and admins of the tenant."""
    roles = VERBS["state.write"]
    found = User.objects.filter(is_active=True).filter(
        Q(memberships__tenant=environment.tenant, memberships__role__in=roles) | Q(is_portal_admin=True)
    )
    return list(found.distinct().order_by("username"))
