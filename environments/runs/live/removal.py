"""Taking one extra away as a change: looked at again, approved, exactly that and nothing else, proven gone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.changes.kinds import Cancelled, ChangeKind, Draft, ToolFailure, Verdict
from environments.changes.models import Change
from environments.changes.work import Work
from environments.runs.live import checks, deeds, look, text
from environments.runs.live.found import Extra
from environments.runs.live.steps import steps_of, take_away
from environments.runs.models import LiveExtra
from portal.accounts.models import User
from portal.core.canonical import digest
from portal.core.errors import GatehouseError
from portal.terraform.errors import TerraformError

KIND: Final = "remove_extra"
POLL_SECONDS = 3.0
# A database leaves the internet when AWS gets to it; the rest is eventually consistent.
VERIFY_SECONDS = {"database": 600.0}
VERIFY_SECONDS_OTHERS = 30.0


def _find(change: Change) -> Extra | None:
    try:
        return look.find(change.environment, change.extra_removal.extra)
    except GatehouseError as refused:
        raise ToolFailure(refused.message, refused.hint) from refused
    except TerraformError as unreadable:
        raise ToolFailure(str(unreadable)) from unreadable


class ExtraRemovalKind(ChangeKind):
    """propose = look again; execute = revoke or detach exactly that; verify = it is gone in AWS."""

    name: ClassVar[str] = KIND
    proposal_template: ClassVar[str] = "runs/_extra_removal.html"
    related: ClassVar[tuple[str, ...]] = ("extra_removal",)

    def claims(self, change: Change) -> list[str]:
        return [f"state:{change.environment.key}"]

    def propose(self, work: Work) -> Draft:
        change = work.change
        row: LiveExtra = change.extra_removal.extra
        found = _find(change)
        base = self._base(change)
        facts: dict[str, Any] = {"kind": KIND, "mode": "apply", "counts": {}, "effects": {}}
        if found is None:
            return Draft(
                digest=digest({"kind": KIND, "empty": True, "extra": row.pk, **base}),
                facts=facts,
                base=base,
                summary=_("Nothing to remove: it is gone, or Terraform manages it by now."),
                empty=True,
            )
        steps = steps_of(found)
        network = found.kind == LiveExtra.Kind.RULE or found.detail["what"] == "database"
        facts |= {
            "removes": steps,
            "touches_network": [row.address] if network else [],
            "touches_iam": [] if network else [row.address],
        }
        return Draft(
            digest=digest({"kind": KIND, "steps": steps, **base}),
            facts=facts,
            base=base,
            summary=deeds.deed(row),
            title=_("Remove from %(environment)s: %(what)s")
            % {"environment": change.environment, "what": text.title(row)},
        )

    @staticmethod
    def _base(change: Change) -> dict[str, Any]:
        account = change.environment.account
        return {
            "account": account.account_id if account else "",
            "account_kind": account.kind if account else "",
            "region": change.environment.region,
        }

    def base_moved(self, change: Change) -> str | None:
        if change.proposal is None or change.proposal.base != self._base(change):
            return _("The environment's AWS account or region has changed; looked at again.")
        return None

    def execute(self, work: Work) -> None:
        change = work.change
        found = _find(change)
        if found is None:
            work.say(_("It is gone already, or Terraform manages it by now; nothing was removed."))
            return
        assert change.proposal is not None
        if steps_of(found) != change.proposal.facts["removes"]:
            raise ToolFailure(
                _("What stands there is not what was approved; nothing was removed."),
                _("Somebody replaced it meanwhile. Look again and request its removal anew."),
            )
        if work.wishes()[0]:
            raise Cancelled(_("Cancelled before the call; nothing was removed."))
        work.lease.check()
        try:
            access = look.reach_of(change.environment)(str(found.detail["region"]))
            done = take_away(access, found)
        except GatehouseError as refused:
            raise ToolFailure(refused.message, refused.hint) from refused
        work.say(deeds.deed(change.extra_removal.extra) if done else _("It was gone a moment before."))

    def verify(self, work: Work) -> Verdict:
        change = work.change
        row: LiveExtra = change.extra_removal.extra
        patience = VERIFY_SECONDS.get(str(row.detail.get("what")), VERIFY_SECONDS_OTHERS)
        until = time.monotonic() + patience
        while _find(change) is not None:
            if time.monotonic() >= until:
                checks.look_again(change.environment)
                return Verdict(
                    ok=False,
                    summary=_("It still stands in AWS."),
                    message=_("AWS took the call, yet the extra still stands there."),
                    hint=_("Look at it in the console; somebody or something may have put it back."),
                )
            work.lease.check()
            time.sleep(POLL_SECONDS)
        LiveExtra.objects.filter(pk=row.pk, gone_at=None).update(gone_at=timezone.now())
        checks.look_again(change.environment)
        return Verdict(ok=True, summary=_("It is gone in AWS; nothing else was touched."))

    def settle(self, work: Work) -> None:
        checks.look_again(work.change.environment)

    def resumable(self, status: str) -> bool:
        return status == "verifying"

    def after_death(self, change: Change) -> str:
        checks.look_again(change.environment)
        return _("It is one call to AWS: either it was made or not. The next look at the Drift tab tells.")

    def page(self, change: Change, user: User) -> Mapping[str, Any]:
        row: LiveExtra = change.extra_removal.extra
        return {
            "extra": row,
            "extra_title": text.title(row),
            "extra_why": text.why(row),
            "extra_unknown": text.unknown_why(row),
        }

    def details(self, change: Change) -> Mapping[str, Any]:
        row: LiveExtra = change.extra_removal.extra
        return {"extra": row.pk, "address": row.address, "resource_id": row.resource_id, "key": row.key}
