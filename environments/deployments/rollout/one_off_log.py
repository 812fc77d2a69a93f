"""A one-off task's log: each line once into the change's log, the last ones into the task's row."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from environments.changes.work import Work
from environments.deployments.models import DeploymentPart, OneOffTask
from environments.deployments.rollout.recognising import wanted_definition
from environments.deployments.rollout.task_logs import containers_of, place_of, redacted
from portal.aws import logs
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess

LINES: Final = 1000
# Rounds of so many lines at the end: what is beyond is left in CloudWatch Logs.
LAST_ROUNDS: Final = 10
KEPT: Final = 200


def follow(
    work: Work, access: AccountAccess, part: DeploymentPart, row: OneOffTask, container: str, *, at_end: bool
) -> None:
    """Take over what was written since the last visit. A log that cannot be read stops nothing, and says so once."""
    for _round in range(LAST_ROUNDS if at_end else 1):
        try:
            fresh = _fresh(access, part, row, container)
        except AwsError as refused:
            _say_once(work, part, row, refused)
            return
        if not fresh:
            return
        _take(work, part, row, fresh)


def _fresh(
    access: AccountAccess, part: DeploymentPart, row: OneOffTask, container: str
) -> list[tuple[int, str]]:
    """Lines not yet taken: those from the last one's millisecond on, without the ones of it taken already."""
    since, taken = _mark(part, row)
    definition = part.registered_arn or wanted_definition(part)
    if not definition:
        return []
    for one in containers_of(access, definition):
        if one.get("name") == container:
            group, stream = place_of(one, row.task_arn)
            found = logs.follow(access, group, stream, since=since, limit=LINES) if group else []
            return found[taken:]
    return []


def _take(work: Work, part: DeploymentPart, row: OneOffTask, fresh: list[tuple[int, str]]) -> None:
    since, taken = _mark(part, row)
    last = fresh[-1][0]
    of_last = sum(1 for at, _text in fresh if at == last) + (taken if last == since else 0)
    text = redacted("\n".join(line for _at, line in fresh), work.log.redactor)
    row.log_tail = "\n".join([*row.log_tail.splitlines(), *text.splitlines()][-KEPT:])
    marks = {**part.progress.get("one_off_marks", {}), str(row.pk): [last, of_last]}
    part.progress = {**part.progress, "one_off_marks": marks}
    # Said first: a worker that dies here says a line twice rather than never.
    work.say("\n".join(f"  {row.name} | {line}" for line in text.splitlines()))
    with work.fenced():
        row.save(update_fields=["log_tail"])
        part.save(update_fields=["progress"])


def _mark(part: DeploymentPart, row: OneOffTask) -> tuple[int, int]:
    since, taken = part.progress.get("one_off_marks", {}).get(str(row.pk), (0, 0))
    return int(since), int(taken)


def _say_once(work: Work, part: DeploymentPart, row: OneOffTask, refused: AwsError) -> None:
    text = _("(its log cannot be read: %(why)s)") % {"why": refused.message}
    if row.log_tail.endswith(text):
        return
    row.log_tail = f"{row.log_tail}\n{text}".strip()
    work.say(f"  {row.name} | {text}")
    with work.fenced():
        row.save(update_fields=["log_tail"])
