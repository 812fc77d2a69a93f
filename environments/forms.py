"""Forms of tenants, environments, accounts and holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from environments.models import AwsAccount, Environment, Role, Tenant
from environments.registry import registry

if TYPE_CHECKING:
    # Generic for the type checker only.
    TenantModelForm = forms.ModelForm[Tenant]
    AccountModelForm = forms.ModelForm[AwsAccount]
    EnvironmentModelForm = forms.ModelForm[Environment]
else:
    TenantModelForm = AccountModelForm = EnvironmentModelForm = forms.ModelForm

# What people read in front of the fields; the models' own names are for programs.
LABELS: Final[dict[str, Any]] = {
    "slug": _("Short name"),
    "name": _("Name"),
    "description": _("What it is"),
    "owner": _("Owner"),
    "on_call": _("On call"),
    "currency": _("Currency"),
    "account_id": _("Account id"),
    "kind": _("Which AWS"),
    "role_arn": _("Role"),
    "external_id": _("External id"),
    "default_region": _("Region"),
    "state_bucket": _("Bucket for copies of states"),
    "environment_class": _("Class"),
    "account": _("AWS account"),
    "region": _("Region"),
}
HELP: Final[dict[str, Any]] = {
    "slug": _("Part of its address; it stays. Lower-case letters, digits and hyphens."),
    "owner": _("Who answers for it."),
    "on_call": _("Whom to call at night, and how."),
    "currency": _("Three letters, such as USD or KRW."),
    "account_id": _("Twelve digits. Before anything runs, AWS itself must say the same."),
    "kind": _("The sandbox is simulated: it costs nothing and serves nobody."),
    "role_arn": _("The role that the portal assumes: arn:aws:iam::123456789012:role/name."),
    "external_id": _("What the role's trust policy asks for, if anything."),
    "region": _("Such as ap-northeast-2."),
    "default_region": _("Such as ap-northeast-2."),
    "state_bucket": _(
        "A bucket in this account that gets a copy of every state, usable without the portal. States hold secrets "
        "in clear: who may read the bucket reads them. Empty: no copies."
    ),
}
LINK_HELP = _("One a line: title, then the address, such as “Runbook https://…”.")


class LinksField(forms.CharField):
    """Links as lines of "title address"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            required=False,
            label=_("Links"),
            help_text=LINK_HELP,
            widget=forms.Textarea(attrs={"rows": 3}),
            **options,
        )

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return "\n".join(f"{link.get('title', '')} {link.get('url', '')}".strip() for link in value)
        return value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        links = []
        for line in text.splitlines():
            title, _space, url = line.strip().rpartition(" ")
            if url:
                links.append({"title": title or url, "url": url})
        return links


class TenantForm(TenantModelForm):
    links = LinksField()
    repository = forms.URLField(label=_("Repository"), required=False, assume_scheme="https")

    class Meta:
        model = Tenant
        fields = ("name", "description", "owner", "repository", "on_call", "currency", "links")
        labels = LABELS
        help_texts = HELP
        widgets: ClassVar[dict[str, Any]] = {"description": forms.Textarea(attrs={"rows": 3})}


class NewTenantForm(TenantForm):
    class Meta(TenantForm.Meta):
        fields = ("slug", *TenantForm.Meta.fields)  # type: ignore[assignment]


class AccountForm(AccountModelForm):
    class Meta:
        model = AwsAccount
        fields = (
            "name",
            "account_id",
            "kind",
            "role_arn",
            "external_id",
            "default_region",
            "state_bucket",
        )
        labels = LABELS
        help_texts = HELP


class EnvironmentForm(EnvironmentModelForm):
    links = LinksField()
    repository = forms.URLField(label=_("Repository"), required=False, assume_scheme="https")
    blueprint = forms.ChoiceField(
        label=_("Blueprint"),
        required=False,
        help_text=_("What builds it. Without one the environment is described only."),
    )

    class Meta:
        model = Environment
        fields = (
            "name",
            "environment_class",
            "description",
            "blueprint",
            "account",
            "region",
            "owner",
            "repository",
            "on_call",
            "links",
        )
        labels = LABELS
        help_texts = HELP
        widgets: ClassVar[dict[str, Any]] = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, accounts: QuerySet[AwsAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = accounts
        field.empty_label = str(_("none yet"))
        offered = sorted({*registry.blueprints(), self.instance.blueprint} - {""})
        blueprint = self.fields["blueprint"]
        assert isinstance(blueprint, forms.ChoiceField)
        blueprint.choices = [("", _("none yet")), *((name, name) for name in offered)]


class NewEnvironmentForm(EnvironmentForm):
    class Meta(EnvironmentForm.Meta):
        fields = ("slug", *EnvironmentForm.Meta.fields)  # type: ignore[assignment]


class CloneForm(forms.Form):
    slug = forms.SlugField(label=LABELS["slug"], max_length=40, help_text=HELP["slug"])
    name = forms.CharField(label=_("Name"), max_length=80)
    account = forms.ModelChoiceField(
        label=_("AWS account"), queryset=AwsAccount.objects.none(), required=False
    )
    region = forms.CharField(label=_("Region"), max_length=30, help_text=HELP["region"])

    def __init__(self, *args: Any, accounts: QuerySet[AwsAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = accounts


class HoldForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300)
    until = forms.DateTimeField(
        label=_("Until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("In your time zone. Without it the hold stands until somebody lifts it."),
    )


class RoleForm(forms.Form):
    username = forms.CharField(
        label=_("Sign-in name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
