"""What people do with Terraform: request a run, unlock a state, look at drift."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.changes import actions as changes
from environments.changes.models import Change, Start
from environments.models import Definition, Environment
from environments.permissions import require
from environments.runs import planning, titles
from environments.runs.leftovers import blocking
from environments.runs.models import DriftCheck, Mode, TerraformRun
from environments.runs.states import store
from portal import audit
from portal.accounts.principals import Principal
from portal.core.errors import Conflict, InvalidInput

ADDRESS = re.compile(
    r"^(module\.[\w-]+(\[[^\]]+\])?\.)*((data\.)?[a-z][a-z0-9_]*\.[\w-]+(\[[^\]]+\])?|module\.[\w-]+(\[[^\]]+\])?)$"
)


def target_of(environment: Environment) -> audit.Target:
    return audit.Target("environment", environment.key, str(environment))


def request_run(
    *,
    by: Principal,
    environment: Environment,
    mode: str,
    definition: Definition | None = None,
    targets: Sequence[str] = (),
    replace: Sequence[str] = (),
    confirm_name: str = "",
    skip_final_snapshot: bool = False,
    reason: str = "",
    ticket: str = "",
    links: list[dict[str, str]] | None = None,
    start: str = Start.ON_APPROVAL,
    start_at: datetime | None = None,
) -> Change:
    """Ask for a run of a definition (default: the newest). Raises NotAllowed, InvalidInput, Conflict."""
    with acting(by, environment, action="change.request", target=target_of(environment)):
        require(by, environment, "change.request")
        wanted = definition or environment.latest_definition
        _check(environment, mode, wanted, targets, replace, confirm_name)
        stopped = blocking.blocker(environment, mode)
        if stopped is not None:
            raise Conflict(stopped.text, hint=_("Decide about it here: %(page)s") % {"page": stopped.link})
        assert wanted is not None
        change = changes.request(
            by=by,
            environment=environment,
            kind=planning.KIND,
            title=titles.requested(mode, environment, wanted.number),
            reason=reason,
            ticket=ticket,
            links=links,
            start=start,
            start_at=start_at,
        )
        TerraformRun.objects.create(
            change=change,
            mode=mode,
            definition=wanted,
            targets=list(targets),
            replace=list(replace),
            skip_final_snapshot=skip_final_snapshot and mode == Mode.DESTROY,
        )
    return change


def _check(
    environment: Environment,
    mode: str,
    definition: Definition | None,
    targets: Sequence[str],
    replace: Sequence[str],
    confirm_name: str,
) -> None:
    errors: dict[str, list[str]] = {}
    if mode not in Mode.values:
        errors["mode"] = [_("Use one of: %(modes)s.") % {"modes": ", ".join(Mode.values)}]
    for field, addresses in (("targets", targets), ("replace", replace)):
        wrong = [address for address in addresses if not ADDRESS.match(address)]
        if wrong:
            errors[field] = [
                _("“%(address)s” is no resource address, such as module.database.aws_db_instance.this.")
                % {"address": wrong[0]}
            ]
    if mode == Mode.DESTROY and environment.is_production and confirm_name != environment.key:
        errors["confirm_name"] = [
            _("Type %(key)s to destroy a production environment.") % {"key": environment.key}
        ]
    if definition is None:
        errors["definition"] = [_("The environment has no definition yet; write one first.")]
    elif definition.environment_id != environment.pk:
        errors["definition"] = [_("This definition belongs to another environment.")]
    if errors:
        raise InvalidInput(errors)


def plan_definition(by: Principal, environment: Environment, definition: Any) -> str:
    """“Save and plan”: request an apply of the definition just saved; the change page's address."""

    change = request_run(
        by=by, environment=environment, mode=Mode.APPLY, definition=definition, reason=definition.note
    )
    return reverse("changes:detail", args=[change.uuid])


def force_unlock(*, by: Principal, environment: Environment, reason: str) -> None:
    """Release the state's lock on an admin's word, with a reason."""
    if not reason.strip():
        raise InvalidInput({"reason": [_("Say how you know that nobody works on this state.")]})
    with acting(by, environment, action="state.force_unlock", target=target_of(environment)):
        require(by, environment, "state.unlock")
        store.force_unlock(environment, by=by, reason=reason.strip())


def download_state(*, by: Principal, environment: Environment, number: int) -> bytes:
    """A state version in clear, for an admin; the audit log says so."""
    with acting(by, environment, action="state.download", target=target_of(environment)):
        require(by, environment, "state.read")
        version = environment.state_versions.filter(number=number).first()
        if version is None:
            raise Conflict(_("There is no such state version."))
        store.record(environment, by, "state.download", version=number)
        content: bytes = version.content
        return content


def check_drift(*, by: Principal, environment: Environment) -> None:
    """Ask for a look at drift now."""
    with acting(by, environment, action="drift.check", target=target_of(environment)):
        require(by, environment, "drift.check")

        check, _made = DriftCheck.objects.get_or_create(environment=environment)
        DriftCheck.objects.filter(pk=check.pk).update(due_at=timezone.now())
        store.record(environment, by, "drift.check")
