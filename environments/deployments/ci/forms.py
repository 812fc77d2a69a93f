"""The form behind a token that deploys."""

from django import forms
from django.utils.translation import gettext_lazy as _

from environments.deployments.ci.token_actions import MOST_DAYS


class DeployTokenForm(forms.Form):
    name = forms.CharField(
        label=_("What is it for?"),
        max_length=80,
        help_text=_("Such as the repository and workflow that will use it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.IntegerField(label=_("Ends after (days)"), min_value=1, max_value=MOST_DAYS, initial=90)
