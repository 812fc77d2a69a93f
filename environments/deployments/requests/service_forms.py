"""What a page asks of one service: its image and settings, or its number of tasks."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.deployments.actions import Asked
from environments.deployments.asked.images import LONGEST
from environments.deployments.asked.settings_asked import MAX_TASKS
from environments.deployments.services import Service
from portal.core.errors import InvalidInput

VARIABLES: Final = "environment"
SETTINGS: Final = ("cpu", "memory", "variables", "unset")
OWNED: Final = {
    "image": gettext_lazy("the image"),
    "cpu": gettext_lazy("CPU"),
    "memory": gettext_lazy("memory"),
}
# The largest number that CPU or memory could mean something by.
LARGEST: Final = 1_000_000


class ServiceForm(forms.Form):
    """One service on the deploy page; settings that the blueprint keeps for Terraform are not asked."""

    chosen = forms.BooleanField(required=False)
    # A digest of the list that the page loads.
    picked = forms.CharField(required=False, max_length=LONGEST)
    image = forms.CharField(
        label=gettext_lazy("Another tag or digest"),
        required=False,
        max_length=LONGEST,
        help_text=gettext_lazy("Goes before what is chosen in the list."),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "class": "mono"}),
    )
    cpu = forms.IntegerField(
        label=gettext_lazy("CPU (units)"),
        required=False,
        min_value=1,
        max_value=LARGEST,
        help_text=gettext_lazy("1024 are one vCPU. Empty: as it is."),
    )
    memory = forms.IntegerField(
        label=gettext_lazy("Memory (MiB)"),
        required=False,
        min_value=1,
        max_value=LARGEST,
        help_text=gettext_lazy("Empty: as it is."),
    )
    variables = forms.CharField(
        label=gettext_lazy("Environment variables to set"),
        required=False,
        max_length=100_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "class": "mono"}),
    )
    unset = forms.CharField(
        label=gettext_lazy("Environment variables to take away"),
        required=False,
        max_length=5000,
        help_text=gettext_lazy("Names, with spaces between them."),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "class": "mono"}),
    )

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service
        owns = service.declaration.deployment_owns
        names = sorted(path.partition(".")[2] for path in owns if path.startswith(f"{VARIABLES}."))
        for name in ("cpu", "memory"):
            if not service.declaration.owns(name):
                del self.fields[name]
        if not names:
            del self.fields["variables"], self.fields["unset"]
            return
        allowed = _("any") if "*" in names else ", ".join(names)
        self.fields["variables"].help_text = _(
            "NAME=value, one a line. Deployments own: %(names)s. Secrets belong into Secrets Manager."
        ) % {"names": allowed}

    @property
    def is_wanted(self) -> bool:
        return bool(self.cleaned_data.get("chosen"))

    @property
    def has_settings(self) -> bool:
        return bool({"cpu", "memory", "variables"} & set(self.fields))

    @property
    def has_typed_settings(self) -> bool:
        """Whether something stands in the folded settings, so that they are shown open."""
        return any(self[name].value() or self[name].errors for name in SETTINGS if name in self.fields)

    @property
    def kept(self) -> str:
        """Who owns what is not asked here."""
        declared = self.service.declaration
        own = [str(label) for name, label in OWNED.items() if declared.owns(name)]
        if declared.owns(f"{VARIABLES}.*"):
            own.append(_("all environment variables"))
        else:
            names = sorted(one for one in declared.deployment_owns if one.startswith(f"{VARIABLES}."))
            own += [one.partition(".")[2] for one in names]
        return _("Deployments own: %(own)s. Everything else of the task is Terraform's.") % {
            "own": ", ".join(own)
        }

    def clean_variables(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in str(self.cleaned_data["variables"]).splitlines():
            if not line.strip():
                continue
            name, equals, value = line.partition("=")
            if not equals:
                raise ValidationError(_("“%(line)s” is not NAME=value.") % {"line": line[:60]})
            if name.strip() in found:
                raise ValidationError(_("%(name)s is set twice.") % {"name": name.strip()})
            found[name.strip()] = value
        return found

    @property
    def asked(self) -> Asked:
        data = self.cleaned_data
        return Asked(
            service=self.service.arn,
            image=data["image"].strip() or data["picked"],
            environment=data.get("variables") or {},
            unset=tuple(str(data.get("unset") or "").split()),
            cpu=data.get("cpu"),
            memory=data.get("memory"),
        )

    def tell(self, wrong: InvalidInput, at: str) -> None:
        """What the action found wrong with this service (`at`: "services.0."), beside its field."""
        for name, texts in wrong.errors.items():
            if name.startswith(at):
                field = name.removeprefix(at).partition(".")[0]
                field = "variables" if field == VARIABLES else field
                self.add_error(field if field in self.fields else None, list(texts))


class CountForm(forms.Form):
    """One service on the page for scaling; what is empty stays as it is."""

    desired = forms.IntegerField(
        label=gettext_lazy("Tasks"), required=False, min_value=0, max_value=MAX_TASKS
    )
    minimum = forms.IntegerField(
        label=gettext_lazy("At least"), required=False, min_value=0, max_value=MAX_TASKS
    )
    maximum = forms.IntegerField(
        label=gettext_lazy("At most"), required=False, min_value=0, max_value=MAX_TASKS
    )

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service

    @property
    def is_wanted(self) -> bool:
        return bool(self.errors) or any(value is not None for value in self.cleaned_data.values())

    @property
    def asked(self) -> Asked:
        return Asked(service=self.service.arn, **{name: self.cleaned_data[name] for name in self.fields})

    def tell(self, wrong: InvalidInput, at: str) -> None:
        for name, texts in wrong.errors.items():
            if name.startswith(at):
                field = name.removeprefix(at)
                self.add_error(field if field in self.fields else None, list(texts))
