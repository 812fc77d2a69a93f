"""How far a deployment is, for each service: asked for every second, so a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.models import Change
from environments.deployments.models import Deployment, DeploymentPart, Outcome, Step
from environments.deployments.shown import evidence
from environments.deployments.shown.evidence import Evidence
from environments.deployments.shown.proposal import of_change
from environments.deployments.shown.revisions import image_name, revision
from environments.deployments.shown.tasks import TaskRow, target_counts, task_rows
from environments.registry import ATTENTION, FAILING, HEALTHY, PROGRESS, UNKNOWN

TASKS_SHOWN: Final = 25
# A look is taken every few seconds, at most every 15: older than this the watching itself is in doubt.
STALE_SECONDS: Final = 60
OUTCOMES: Mapping[str, str] = {
    Outcome.SUCCEEDED: HEALTHY,
    Outcome.UNTOUCHED: "quiet",
    Outcome.ROLLED_BACK: ATTENTION,
    Outcome.ROLLBACK_FAILED: FAILING,
    Outcome.FAILED: FAILING,
}
STEPS: Final = (Step.REGISTERING, Step.BEFORE_TASK, Step.UPDATING, Step.WATCHING, Step.PROVING)


@dataclass(frozen=True)
class Bar:
    """Old or new tasks: how many run of how many wanted, how many are on their way, how many failed."""

    label: str
    running: int
    wanted: int
    pending: int
    failed: int

    @property
    def most(self) -> int:
        return max(self.wanted, self.running, 1)


@dataclass(frozen=True)
class Moving:
    """One service of a deployment under way, or as it ended."""

    part: DeploymentPart
    state: str
    word: str
    steps: list[tuple[str, str]]
    image: str
    revision: str
    bars: list[Bar]
    tasks: list[TaskRow]
    tasks_more: int
    new_tasks: int
    old_tasks: int
    targets: list[tuple[str, str, int]]
    traffic: int | None
    breaker: dict[str, Any]
    alarms: list[tuple[str, str, str]]
    rollout: str
    reason: str
    usual_seconds: int | None
    took_long: bool
    stale: bool
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def tasks_id(self) -> str:
        return f"tasks-{self.part.pk}"

    @property
    def tasks_note(self) -> str:
        """How many there are of each, for the folded table's head."""
        return _("%(new)s new, %(old)s old") % {"new": self.new_tasks, "old": self.old_tasks}


def progress(change: Change) -> dict[str, Any]:
    """Context of templates/deployments/_progress.html."""
    deployment, parts = of_change(change)
    seen = evidence.gather(parts, proposal=change.proposal_id)
    now = timezone.now()
    return {
        "deployment": deployment,
        "moving_services": [
            moving(change, deployment, part, seen.get(part.pk, Evidence()), now) for part in parts
        ]
        if change.started_at
        else [],
        "bake_until": deployment.bake_until if deployment.bake_until and not change.is_final else None,
        "baking": bool(deployment.bake_until and deployment.bake_until > now and not change.is_final),
    }


def moving(
    change: Change, deployment: Deployment, part: DeploymentPart, seen: Evidence, now: datetime
) -> Moving:
    told: Mapping[str, Any] = part.progress
    tasks = task_rows(told.get("tasks") or [])
    state, word = verdict(change, part)
    usual = told.get("usual_seconds")
    took = ((part.finished_at or now) - part.started_at).total_seconds() if part.started_at else 0
    watched = part.step in {Step.UPDATING, Step.WATCHING, Step.ROLLING_BACK} and not part.outcome
    return Moving(
        part=part,
        state=state,
        word=word,
        steps=steps(deployment, part),
        image=image_name(part.tag or seen.tag, part.digest or seen.digest),
        revision=revision(part.registered_arn),
        bars=bars(told),
        tasks=tasks[:TASKS_SHOWN],
        tasks_more=max(int(told.get("tasks_total") or len(tasks)) - min(len(tasks), TASKS_SHOWN), 0),
        new_tasks=sum(row.new for row in tasks),
        old_tasks=sum(not row.new for row in tasks),
        targets=target_counts(told.get("target_counts") or {}),
        traffic=(told.get("traffic") or {}).get("new_percent"),
        breaker=dict(told.get("breaker") or {}),
        alarms=[_alarm(one) for one in told.get("alarms") or []],
        # What the word says already need not be said again in capitals.
        rollout=str(told.get("stage") or "") or _unusual(str(told.get("rollout") or "")),
        reason=str(told.get("reason") or ""),
        usual_seconds=int(usual) if usual else None,
        took_long=bool(usual and took > 2 * float(usual) and not part.outcome),
        stale=bool(watched and part.progress_at and (now - part.progress_at).total_seconds() > STALE_SECONDS),
        evidence=seen,
    )


def verdict(change: Change, part: DeploymentPart) -> tuple[str, str]:
    """State and words for the service: its outcome, else the step it is at."""
    if part.outcome:
        return OUTCOMES.get(part.outcome, UNKNOWN), str(Outcome(part.outcome).label)
    if change.is_final:
        # The change ended and nobody wrote how it came out for this one.
        return ("quiet", _("Not reached")) if part.step == Step.WAITING else (UNKNOWN, _("Unknown"))
    if part.step == Step.WAITING:
        return "quiet", str(Step.WAITING.label)
    if part.step == Step.ROLLING_BACK:
        return ATTENTION, str(Step.ROLLING_BACK.label)
    return PROGRESS, str(Step(part.step).label)


def steps(deployment: Deployment, part: DeploymentPart) -> list[tuple[str, str]]:
    """(state, label) of each step on the way, as far as it is."""
    migrates = deployment.before_task.get("service") == part.service
    way = [step for step in STEPS if step != Step.BEFORE_TASK or migrates]
    if part.step == Step.ROLLING_BACK:
        return [*(("quiet", str(step.label)) for step in way), (ATTENTION, str(Step.ROLLING_BACK.label))]
    order = [Step.WAITING, *STEPS, Step.DONE]
    here = order.index(Step(part.step)) if part.step in order else 0
    found = []
    for step in way:
        place = order.index(step)
        state = HEALTHY if place < here else PROGRESS if place == here and not part.outcome else "quiet"
        found.append((state, str(step.label)))
    return found


def _unusual(rollout: str) -> str:
    return "" if rollout in {"PENDING", "IN_PROGRESS", "SUCCESSFUL"} else rollout


def bars(told: Mapping[str, Any]) -> list[Bar]:
    """New above old; counts that ECS did not tell are no zeros and draw no bar."""
    found: list[Bar] = []
    for key, label in (("new", _("New")), ("old", _("Old"))):
        counts = told.get(key) or {}
        if counts.get("running") is None:
            continue
        found.append(
            Bar(
                label,
                int(counts["running"]),
                int(counts.get("desired") or 0),
                int(counts.get("pending") or 0),
                int(counts.get("failed") or 0),
            )
        )
    return found


def _alarm(alarm: Mapping[str, Any]) -> tuple[str, str, str]:
    """(state, word, name) of an alarm; an alarm without data is not an alarm at rest."""
    words = {
        "OK": (HEALTHY, _("quiet")),
        "ALARM": (ATTENTION, _("fired before")) if alarm.get("before") else (FAILING, _("fires")),
        "MISSING": (UNKNOWN, _("does not exist")),
        "UNKNOWN": (UNKNOWN, _("could not be read")),
        # ECS names the alarms that fire; of the others it says only that it watches them.
        "MONITORING": (PROGRESS, _("watched by ECS")),
        "MONITORING_COMPLETE": (HEALTHY, _("quiet while ECS watched")),
        "DISABLED": (UNKNOWN, _("not watched by ECS")),
    }
    state, word = words.get(str(alarm.get("state")), (UNKNOWN, _("no data")))
    return state, word, str(alarm.get("name", ""))
