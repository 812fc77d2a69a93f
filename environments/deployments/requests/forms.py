"""What every request says for those who approve, when it starts, and how the tasks are replaced."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from environments.changes.models import Start
from environments.deployments.asked.strategies import OPTIONS
from environments.deployments.models import Strategy
from environments.deployments.services import Service
from portal.accounts.forms import show_error
from portal.core.errors import InvalidInput

# What an action calls a field, where the form calls it otherwise.
FIELDS: Final = {"bake_seconds": "bake_minutes", "start_at": "start_at", "source": "from"}


class ReasonForm(forms.Form):
    """Reason, ticket, links and start."""

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

    def clean_commit(self) -> str:
        return self._address("commit")

    def clean_ci(self) -> str:
        return self._address("ci")

    def _address(self, name: str) -> str:
        url = str(self.cleaned_data.get(name, "")).strip()
        if url:
            try:
                URLValidator(schemes=["http", "https"])(url)
            except ValidationError:
                raise ValidationError(_("This is no address; start with https://.")) from None
        return url

    @property
    def has_links(self) -> bool:
        """Whether something stands in the folded fields, so that they are shown open."""
        return any(self[name].value() or self[name].errors for name in ("ticket", "commit", "ci"))

    @property
    def said(self) -> dict[str, Any]:
        """What every action takes."""
        data = self.cleaned_data
        links = [("Commit", data["commit"]), ("CI run", data["ci"])]
        return {
            "reason": data["reason"],
            "ticket": data["ticket"],
            "links": [{"title": title, "url": url} for title, url in links if url],
            "start": data["start"],
            "start_at": data["start_at"],
        }

    def tell(self, wrong: InvalidInput) -> None:
        """What an action found wrong, beside the field that it speaks of."""
        show_error(self, InvalidInput({self._field(name): texts for name, texts in wrong.errors.items()}))

    def _field(self, name: str) -> str:
        if name.startswith("before_task"):
            return "before_command"
        return FIELDS.get(name, name.removeprefix("strategy_options."))


class StrategyForm(ReasonForm):
    """With the strategy, what runs before and how long alarms are watched after."""

    strategy = forms.ChoiceField(label=_("Strategy"), initial=Strategy.ROLLING)
    canary_percent = forms.FloatField(
        label=_("First part of the traffic (%)"), required=False, help_text=_("0.1 to 100; 5 when empty.")
    )
    canary_bake_minutes = forms.IntegerField(
        label=_("Watch it for (minutes)"), required=False, help_text=_("0 to 1440; 10 when empty.")
    )
    step_percent = forms.FloatField(
        label=_("Traffic moved in each step (%)"), required=False, help_text=_("3 to 100; 10 when empty.")
    )
    step_bake_minutes = forms.IntegerField(
        label=_("Watch each step for (minutes)"), required=False, help_text=_("0 to 1440; 6 when empty.")
    )
    bake_minutes = forms.IntegerField(
        label=_("Watch the alarms afterwards for (minutes)"),
        required=False,
        min_value=0,
        max_value=1440,
        help_text=_("Empty: as each service declares. An alarm in that time rolls back."),
    )
    before = forms.ChoiceField(label=_("Task before it"), widget=forms.RadioSelect, initial="declared")
    before_command = forms.CharField(
        label=_("Its command"),
        required=False,
        max_length=2000,
        help_text=_("Runs once in the new image; a failure stops the deployment."),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "class": "mono"}),
    )

    def __init__(self, *args: Any, services: Sequence[Service], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = {name for one in services for name in one.declaration.strategies} or {Strategy.ROLLING}
        self._choose("strategy", [(name, label) for name, label in Strategy.choices if name in offered])
        told = ", ".join(
            f"{one.name}: {shlex.join(task.command)}" for one in services if (task := one.declaration.before)
        )
        declared = _("As the blueprint declares (%(what)s)") % {"what": told or _("no task")}
        self._choose("before", [("declared", declared), ("none", _("None")), ("other", _("Another command"))])
        for name in set(Strategy.values) - offered:
            for option in OPTIONS[name]:
                del self.fields[option]

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_before_command(self) -> list[str]:
        try:
            return shlex.split(str(self.cleaned_data["before_command"]))
        except ValueError:
            raise ValidationError(_("A quotation mark is not closed.")) from None

    @property
    def how(self) -> dict[str, Any]:
        """What the actions of new images take."""
        data = self.cleaned_data
        given = {name: data.get(name) for name in OPTIONS[data["strategy"]]}
        minutes = data["bake_minutes"]
        before = {"none": {}, "other": {"command": data["before_command"]}}.get(data["before"])
        return self.said | {
            "strategy": data["strategy"],
            "strategy_options": {name: value for name, value in given.items() if value is not None},
            "bake_seconds": None if minutes is None else 60 * minutes,
            "before_task": before,
        }
