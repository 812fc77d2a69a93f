"""Forms of the people pages; the actions behind them decide, and their words come back to the fields."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.accounts.actions.tokens import DEFAULT_DAYS, MAX_DAYS
from portal.accounts.models import PERSONAL_SCOPES, SCOPE_READ
from portal.core.errors import GatehouseError, InvalidInput

AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@lru_cache(maxsize=1)
def time_zones() -> list[tuple[str, Any]]:
    """Zones grouped by part of the world, for a select field."""
    groups: dict[str, list[tuple[str, str]]] = {area: [] for area in AREAS}
    for zone in sorted(available_timezones()):
        area, _slash, place = zone.partition("/")
        if area in groups:
            groups[area].append((zone, place.replace("_", " ").replace("/", ", ")))
    portal_default = ("", _("As the portal shows it"))
    return [portal_default, ("UTC", "UTC"), *groups.items()]


def show_error(form: forms.BaseForm, error: GatehouseError) -> None:
    """Puts what an action refused beside the fields it speaks of, else above the form."""
    if not isinstance(error, InvalidInput):
        form.add_error(None, f"{error.message} {error.hint}".strip())
        return
    for field, messages in error.errors.items():
        form.add_error(field if field in form.fields else None, list(messages))


class TimeZoneField(forms.ChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Time zone"),
            required=False,
            choices=time_zones,
            help_text=_("Times appear in this zone, with UTC beside them."),
            **options,
        )


class SignInForm(forms.Form):
    username = forms.CharField(
        label=_("Name"),
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(forms.Form):
    current = forms.CharField(
        label=_("Present password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=4096,
        help_text=_("At least 10 characters, and none of the passwords everybody tries first."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("New password again"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "new" in data and "again" in data and data["new"] != data["again"]:
            self.add_error("again", _("The two new passwords differ."))
        return data


class ProfileForm(forms.Form):
    display_name = forms.CharField(
        label=_("Name shown to others"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = TimeZoneField()


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("What is it for?"),
        max_length=80,
        help_text=_("Such as the machine or script that will use it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.IntegerField(
        label=_("Ends after (days)"), min_value=1, max_value=MAX_DAYS, initial=DEFAULT_DAYS
    )
    may_write = forms.BooleanField(
        label=_("May also act for me"),
        required=False,
        help_text=_("Without this it can only read what you can read."),
    )

    @property
    def scopes(self) -> tuple[str, ...]:
        return PERSONAL_SCOPES if self.cleaned_data["may_write"] else (SCOPE_READ,)


class PersonForm(forms.Form):
    display_name = forms.CharField(
        label=_("Name shown to others"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("E-mail"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    time_zone = TimeZoneField()
    is_portal_admin = forms.BooleanField(
        label=_("Portal administrator"),
        required=False,
        help_text=_("Manages people, and administers every tenant. It does not let them approve changes."),
    )


class NewPersonForm(PersonForm):
    username = forms.CharField(
        label=_("Sign-in name"),
        max_length=150,
        help_text=_("Cannot be changed later: the activity log knows people by it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    field_order = ("username", "display_name", "email", "time_zone", "is_portal_admin")


class PeopleFilter(forms.Form):
    q = forms.CharField(label=_("Name or e-mail"), required=False, max_length=100)
    show = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[("", _("Active")), ("left", _("Those who left")), ("all", _("Everybody"))],
    )
