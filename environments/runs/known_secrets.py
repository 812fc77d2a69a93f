"""What a run must never show: everything that is known to be secret about an environment, and what it learns.

A run's log is redacted by value, so the values must be known before the line is written: those of the definition,
of the newest state, of the approved plan, and, while an apply runs, of each state that Terraform delivers. What
was born during the apply and told before any state had it is masked in the stored log afterwards.
"""

from __future__ import annotations

import logging
import time

from environments.changes import log
from environments.changes.models import Change
from environments.models import Environment
from environments.runs.models import ResourceProgress, StateVersion
from environments.runs.states import store
from environments.runs.workspace import ARCHIVE, head_of, secrets_of
from portal.core.redaction import Redactor
from portal.terraform.errors import StateUnreadable
from portal.terraform.state import read_state

logger = logging.getLogger(__name__)
# How often, in seconds, an apply asks whether a state with new secrets has come.
LEARN_INTERVAL = 1.0


def of_version(version: StateVersion | None) -> frozenset[str]:
    """Every secret of a state; none of one that cannot be read."""
    if version is None:
        return frozenset()
    try:
        return read_state(version.content).secrets
    except StateUnreadable:
        logger.warning(
            "State version %s of environment %s is unreadable", version.number, version.environment_id
        )
        return frozenset()


def of_environment(environment: Environment) -> list[str]:
    """For what is shown of its state: the secrets of its newest definition."""
    newest = environment.latest_definition
    return secrets_of(newest) if newest else []


def redactor_for(change: Change) -> Redactor:
    """Knows the run's definition, its approved plan and the newest state."""
    redactor = Redactor(secrets_of(change.terraform_run.definition))
    redactor.add(of_version(store.current(change.environment)))
    archive = change.proposal.artefacts.filter(name=ARCHIVE).first() if change.proposal else None
    if archive is not None:
        redactor.add(head_of(archive).get("secrets", ()))
    return redactor


class Learner:
    """Teaches a run's redactor the secrets of the states that its Terraform delivers while it runs."""

    def __init__(self, environment: Environment, redactor: Redactor) -> None:
        self._environment = environment
        self._redactor = redactor
        self._number: int | None = None
        # Whether something was learned after lines may have told it.
        self.learned = False
        self._asked_at = float("-inf")

    def __call__(self) -> None:
        """Look whether there is a newer state; asks the database at most once a second."""
        if time.monotonic() - self._asked_at >= LEARN_INTERVAL:
            self.learn()

    def learn(self) -> None:
        """Look now."""
        self._asked_at = time.monotonic()
        versions = StateVersion.objects.filter(environment=self._environment)
        number = versions.order_by("-number").values_list("number", flat=True).first()
        if number is not None and number != self._number:
            news = self._redactor.add(of_version(versions.get(number=number)))
            self.learned = self.learned or news
            self._number = number


def scrub(change: Change, redactor: Redactor) -> None:
    """Mask in what is stored already of this change what was learned too late; offsets stay as they are."""
    log.scrub(change, redactor)
    for row in ResourceProgress.objects.filter(change=change).exclude(resource_id=""):
        told = redactor.redact(row.resource_id)[:1024]
        if told != row.resource_id:
            ResourceProgress.objects.filter(pk=row.pk).update(resource_id=told)
