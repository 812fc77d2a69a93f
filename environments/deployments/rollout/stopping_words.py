"""What stopping a deployment means at its present moment, in words."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from environments.changes.kinds import Stopping
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.deployments.models import Act

# Acts that leave a revision behind which can be gone back to.
UNDER_WATCH: Final = frozenset({Act.DEPLOY, Act.CONFIGURE})
BRINGS_BACK: Final = frozenset({Act.DEPLOY, Act.CONFIGURE, Act.ROLLBACK})


def words(change: Change) -> Stopping:
    """Before it runs nothing has been done; while it runs ECS takes it back; afterwards a rollback does."""
    common = {
        "too_late": _(
            "It is deployed and being observed; nothing is left to stop. Roll it back if it is not good."
        ),
        "under_way": _("%(who)s asked to stop it."),
    }
    observed = change.status == Status.VERIFYING and change.deployment.act in UNDER_WATCH
    if observed and change.deployment.verification.get("stage") != "going_back":
        common["too_late"] = ""
    elif change.status != Status.EXECUTING:
        return Stopping(
            label=_("Cancel the change"),
            question=_("Cancel “%(what)s”?"),
            effect=_("It has not begun: no service is touched."),
            **common,
        )
    common["under_way"] = _(
        "%(who)s asked to stop it. Services it has touched go back to what they ran before."
    )
    if change.deployment.act in BRINGS_BACK:
        return Stopping(
            label=_("Stop and roll back"),
            question=_("Stop “%(what)s” and roll back?"),
            effect=_(
                "ECS stops the rollout and brings back what each service ran before. Tasks of before that "
                "still run go on serving. A task that ran before the deployment, such as a migration, is "
                "not undone."
            ),
            **common,
        )
    return Stopping(
        label=_("Stop"),
        question=_("Stop “%(what)s”?"),
        effect=_("No further service is touched; counts of tasks go back to what they were."),
        **common,
    )
