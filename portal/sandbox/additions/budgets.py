"""Budgets: tags, subscribers of notifications, changes."""

import json
from typing import Any

from moto.budgets.exceptions import NotFoundException
from moto.budgets.models import Budget
from moto.budgets.responses import BudgetsResponse
from moto.core.utils import unix_time

from portal.sandbox.patching import add, store, wrap

_WHICH_NOTIFICATION = ("NotificationType", "ComparisonOperator", "Threshold")


def _tags(response: BudgetsResponse, arn: str) -> dict[str, str]:
    tags: dict[str, str] = store(response.backend, "tags").setdefault(arn, {})
    return tags


def _budget(response: BudgetsResponse, name: str) -> Budget:
    budget = response.backend.budgets[response._get_param("AccountId")].get(name)
    if budget is None:
        raise NotFoundException(f"Unable to get budget: {name} - the budget doesn't exist.")
    return budget


@wrap(BudgetsResponse, "create_budget")
def _create(original: Any, self: BudgetsResponse) -> str:
    answer: str = original(self)
    name = self._get_param("Budget")["BudgetName"]
    arn = f"arn:{self.partition}:budgets::{self._get_param('AccountId')}:budget/{name}"
    given = self._get_param("ResourceTags") or []
    # A budget of a deleted one's name has the tags it was given, none of the old one's.
    store(self.backend, "tags")[arn] = {tag["Key"]: tag["Value"] for tag in given}
    return answer


@add(BudgetsResponse)
def update_budget(self: BudgetsResponse) -> str:
    """Replace a budget's settings; its notifications stay."""
    new = self._get_param("NewBudget")
    budget = _budget(self, new["BudgetName"])
    period = new.get("TimePeriod") or budget.budget["TimePeriod"]
    budget.budget = {**new, "TimePeriod": period, "LastUpdatedTime": unix_time()}
    return "{}"


@add(BudgetsResponse)
def describe_subscribers_for_notification(self: BudgetsResponse) -> str:
    """Who is told when this notification of a budget fires."""
    wanted = self._get_param("Notification")
    for notification in _budget(self, self._get_param("BudgetName")).notifications:
        if all(notification.details.get(key) == wanted.get(key) for key in _WHICH_NOTIFICATION):
            return json.dumps({"Subscribers": notification.subscribers})
    raise NotFoundException("Unable to get subscribers - the notification doesn't exist.")


@add(BudgetsResponse)
def list_tags_for_resource(self: BudgetsResponse) -> str:
    """The tags of a budget."""
    tags = _tags(self, self._get_param("ResourceARN"))
    return json.dumps({"ResourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]})


@add(BudgetsResponse)
def tag_resource(self: BudgetsResponse) -> str:
    """Add tags, or change their values."""
    given = self._get_param("ResourceTags") or []
    _tags(self, self._get_param("ResourceARN")).update({tag["Key"]: tag["Value"] for tag in given})
    return "{}"


@add(BudgetsResponse)
def untag_resource(self: BudgetsResponse) -> str:
    """Remove tags."""
    tags = _tags(self, self._get_param("ResourceARN"))
    for key in self._get_param("ResourceTagKeys") or []:
        tags.pop(key, None)
    return "{}"
