"""The plan behind a look at drift: no lock, no change row, no log; only what would have to be altered."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from environments.blueprints import snapshots
from environments.changes.kinds import ToolFailure
from environments.runs import credentials, known_secrets
from environments.runs.models import TerraformRun
from environments.runs.workspace import PLAN_FILE, Workspace, unpack_definition, workspace
from portal.core.redaction import mask_forms
from portal.terraform.adapter import Option
from portal.terraform.events import DiagnosticEvent, human_line, parse_line
from portal.terraform.options import init_options, plan_options, show_options
from portal.terraform.plan import read_plan
from portal.terraform.process import start

# A fence no worker has: this credential is not a run's.
DRIFT_FENCE = 2_000_000_000


def differences(run: TerraformRun) -> list[dict[str, Any]]:
    """What a plan of the applied definition would alter: [{address, type, action, attributes}], masked."""
    credential = credentials.issue(run.change, fence=DRIFT_FENCE, may_write=False)
    try:
        with workspace(run.change, run.definition, credential, name="drift") as made:
            unpack_definition(made, run.definition)
            snapshot = snapshots.snapshot_of(run.definition.snapshot)
            known = snapshots.lock_for(snapshot, made.installation.platform) is not None
            _run(made, "init", options=init_options(lock_file_readonly=known), good=(0,))
            code = _run(made, "plan", options=plan_options(PLAN_FILE, lock=False), good=(0, 2))
            if code == 0:
                return []
            _run(made, "show", PLAN_FILE, options=show_options(), good=(0,), log="plan.json")
            plan = read_plan(made.folder / "plan.json", known=made.secrets)
    except ToolFailure as failure:
        # Nothing of this goes through a log; Terraform quotes values in its errors.
        redactor = known_secrets.redactor_for(run.change)
        raise ToolFailure(mask_forms(redactor.redact(failure.message))) from None
    finally:
        credentials.revoke(run.change, fence=DRIFT_FENCE)
    return [
        {
            "address": change.address,
            "type": change.type,
            "action": change.action,
            # How many differ; the first of them follow.
            "total": len(change.attributes),
            "attributes": [
                {
                    "path": one.path,
                    "before": one.before,
                    "after": one.after,
                    "unknown": one.unknown,
                    "sensitive": one.sensitive,
                }
                for one in change.attributes[:50]
            ],
        }
        for change in plan.changes
        if change.action != "read"
    ]


def _run(
    made: Workspace,
    command: str,
    *arguments: str,
    options: dict[str, Option],
    good: tuple[int, ...],
    log: str = "",
) -> int:
    path = made.folder / (log or f"{command}.log")
    process = start(
        command,
        *arguments,
        workdir=made.root,
        env=made.env,
        log_path=path,
        options=options,
        binary=made.installation.binary,
    )
    if process.wait(settings.DRIFT_TIMEOUT_SECONDS) is None:
        process.interrupt()
        time.sleep(1)
        process.kill()
    code = process.finish()
    if code not in good:
        events = [parse_line(line) for line in path.read_text(errors="replace").splitlines()]
        errors = [human_line(event) for event in events if isinstance(event, DiagnosticEvent)]
        raise ToolFailure("\n".join(errors[:5]) or _("terraform %(command)s failed.") % {"command": command})
    return code
