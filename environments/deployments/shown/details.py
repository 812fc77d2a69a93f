"""The deployment in the API: the same facts as on its page, no secret values, no log lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from environments.changes.models import Change
from environments.deployments.models import DeploymentPart, ServiceProposal
from environments.deployments.rollout import seeing
from environments.deployments.shown import evidence, words
from environments.deployments.shown.evidence import Evidence
from environments.deployments.shown.proposal import difference_row, of_change, proposals_of


def details(change: Change) -> Mapping[str, Any]:
    """act, strategy, bake_until and one entry a service; null where nothing is known yet."""
    deployment, parts = of_change(change)
    proposals = proposals_of(change)
    by_part = {one.part_id: one for one in proposals}
    seen = evidence.gather(parts, proposal=change.proposal_id)
    facts: Mapping[str, Any] = change.proposal.facts if change.proposal else {}
    return {
        "act": deployment.act,
        "mode": facts.get("mode", ""),
        "strategy": deployment.strategy,
        "strategy_options": deployment.strategy_options,
        "bake_seconds": deployment.bake_seconds,
        "bake_until": deployment.bake_until,
        "before_task": deployment.before_task,
        "promoted_from": deployment.promoted_from.key if deployment.promoted_from else None,
        "rollback_to": deployment.rollback_to.change.uuid if deployment.rollback_to else None,
        "consequences": words.consequences(deployment, parts, proposals),
        "warnings": facts.get("warnings", []),
        "services": [_service(part, by_part.get(part.pk), seen[part.pk]) for part in parts],
    }


def _service(part: DeploymentPart, proposal: ServiceProposal | None, seen: Evidence) -> dict[str, Any]:
    return {
        "service": part.service,
        "service_arn": part.service_arn,
        "container": part.container,
        "step": part.step,
        "outcome": part.outcome,
        "outcome_reason": part.outcome_reason,
        "previous": {"revision": part.previous_arn, "digest": part.previous_digest},
        "revision": part.registered_arn,
        "image": {"tag": part.tag or seen.tag, "digest": part.digest or seen.digest},
        "service_deployment": part.service_deployment_arn,
        "started_at": part.started_at,
        "finished_at": part.finished_at,
        "proposal": _proposal(proposal),
        "progress": seeing.told(part.progress),
        "progress_at": part.progress_at,
        "events": [{"at": row.at, "message": row.message} for row, _found in seen.events],
        "stopped_tasks": [_stopped(one) for one in seen.stopped],
        "one_off_tasks": [
            {
                "purpose": one.row.purpose,
                "name": one.row.name,
                "command": one.row.command,
                "state": one.state,
                "exit_code": one.row.exit_code,
                "task_arn": one.row.task_arn,
                "started_at": one.row.started_at,
                "finished_at": one.row.finished_at,
            }
            for one in seen.one_off
        ],
        "checks": [
            {"name": row.name, "ok": row.ok, "detail": row.detail, "tries": row.tries, "at": row.at}
            for _state, _word, row in seen.checks
        ],
    }


def _proposal(proposal: ServiceProposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {
        "running_revision": proposal.running_arn,
        "running_digest": proposal.running_digest,
        "repository": proposal.repository,
        "tag": proposal.tag,
        "digest": proposal.digest,
        "image": proposal.image,
        "preflight": proposal.preflight,
        "difference": [
            {
                "container": str(row.get("container") or ""),
                **{
                    key: value
                    for key, value in difference_row(row).items()
                    if key in ("path", "owner", "before", "after", "sensitive")
                },
            }
            for row in proposal.difference
        ],
    }


def _stopped(one: evidence.Stopped) -> dict[str, Any]:
    row = one.row
    return {
        "task_arn": row.task_arn,
        "alike": one.count,
        "stop_code": row.stop_code,
        "stopped_reason": row.stopped_reason,
        "containers": row.containers,
        "stopped_at": row.stopped_at,
        "diagnosis": {"key": row.diagnosis, "cause": one.diagnosis.cause, "remedy": one.diagnosis.remedy}
        if one.diagnosis
        else None,
    }
