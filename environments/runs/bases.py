"""The ground a plan stands on: what must be at the start as it was when it was planned, and whether it still is."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.changes.models import Artefact, Change, Proposal
from environments.models import AwsAccount, Definition, Environment
from environments.runs.leftovers import rows
from environments.runs.models import TerraformRun
from environments.runs.states import store
from environments.runs.workspace import ARCHIVE
from portal.core.canonical import digest
from portal.core.keyring import DecryptionError, keyring

STATE_MOVED: Final = gettext_lazy("The state has moved since this was planned; planned again.")
# What of the ground changed -> what the log, the page and the message to voters say.
MOVED: Final = {
    "account": gettext_lazy("The environment's AWS account has changed; planned again."),
    "account_kind": gettext_lazy("The environment's AWS account has changed; planned again."),
    "account_access": gettext_lazy("The role that reaches the AWS account has changed; planned again."),
    "region": gettext_lazy("The environment's region has changed; planned again."),
    "definition": gettext_lazy("The definition is another one than was planned; planned again."),
    "definition_digest": gettext_lazy("The definition is not what it was when planned; planned again."),
    "snapshot": gettext_lazy("The blueprint's snapshot is another one than was planned; planned again."),
    "run": gettext_lazy("What the run asks for is not what was planned; planned again."),
}


def sealed(data: bytes) -> str:
    """A keyed digest of something secret."""
    return keyring().fingerprint(data, context="proposal")


def definition_digest(definition: Definition) -> str:
    """Stands for the definition's values, the sensitive ones keyed."""
    secret = sealed(repr(sorted(definition.sensitive.items())).encode())
    return digest({"variables": definition.variables, "sensitive": secret})


def account_name(environment: Environment) -> str:
    """Which AWS and which account of it: a vote for the sandbox is none for the real one of the same number."""
    account = environment.account
    return f"{account.kind}:{account.account_id}" if account else ""


def ground(record: TerraformRun, environment: Environment) -> dict[str, Any]:
    """Everything besides the state that a plan is made from."""
    definition, account = record.definition, environment.account
    asked = [record.mode, sorted(record.targets), sorted(record.replace), record.skip_final_snapshot]
    return {
        "account": account.account_id if account else "",
        "account_kind": account.kind if account else "",
        "account_access": _access(account),
        "region": environment.region,
        "definition": definition.number,
        "definition_digest": definition_digest(definition),
        "snapshot": definition.snapshot,
        "run": digest(asked),
    }


def _access(account: AwsAccount | None) -> str:
    return digest([account.role_arn, account.external_id]) if account else ""


def base_of(
    record: TerraformRun,
    position: Mapping[str, Any],
    marked: Mapping[str, str],
    *,
    plan_sha256: str = "",
    folder: bytes = b"",
) -> dict[str, Any]:
    """What must still hold when this proposal is executed."""
    return {
        **position,
        **ground(record, record.definition.environment),
        "plan_sha256": plan_sha256,
        "folder_sha256": hashlib.sha256(folder).hexdigest() if folder else "",
        "imports": dict(marked),
    }


def moved(change: Change) -> str | None:
    """Why the current proposal no longer fits what is there; None while it does."""
    proposal = change.proposal
    if proposal is None:
        return _("There is no proposal.")
    base, environment = proposal.base, change.environment
    now = store.position(environment)
    if {name: base.get(name) for name in now} != now:
        return str(STATE_MOVED)
    for name, value in ground(change.terraform_run, environment).items():
        # A proposal from before the portal kept this part is compared by the others.
        if base.get(name, value) != value:
            return str(MOVED[name])
    if base.get("imports", {}) != rows.pending(environment):
        return _("What is to be imported has changed since this was planned; planned again.")
    return _folder_lost(proposal)


def _folder_lost(proposal: Proposal) -> str | None:
    """Whether the folder that was approved is no longer there whole: then nothing of it may run."""
    try:
        kept = Artefact.objects.filter(proposal=proposal, name=ARCHIVE).first()
    except (DecryptionError, ValueError, zlib.error):
        return _("The saved plan cannot be read any more; planned again.")
    if kept is None:
        return _("The saved plan is gone; planned again.")
    wanted = proposal.base.get("folder_sha256")
    if wanted and hashlib.sha256(kept.content).hexdigest() != wanted:
        return _("The saved plan is not the one that was approved; planned again.")
    return None
