"""Forms for restarting services and for promoting images from another environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from environments.deployments.requests.forms import ReasonForm, StrategyForm
from environments.deployments.services import Service


class ServicesField(forms.MultipleChoiceField):
    """Services by ARN. None chosen is for the action to refuse, as it does for the API."""

    def __init__(self) -> None:
        super().__init__(label=_("Services"), required=False, widget=forms.CheckboxSelectMultiple)


class RestartForm(ReasonForm):
    services = ServicesField()

    def __init__(self, *args: Any, services: Sequence[Service], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["services"]
        assert isinstance(field, ServicesField)
        field.choices = [(one.arn, one.name) for one in services]


class PromoteForm(StrategyForm):
    services = ServicesField()

    def __init__(self, *args: Any, services: Sequence[Service], **kwargs: Any) -> None:
        super().__init__(*args, services=services, **kwargs)
        field = self.fields["services"]
        assert isinstance(field, ServicesField)
        field.choices = [(one.arn, one.name) for one in services]
