"""Why nobody is asked: what the gate card says of a change that no gate stops."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.changes.gates import asked, excepted
from environments.changes.models import Change

# What a mode that a policy may leave out is in words.
WORDS: Final = {
    "rollback": gettext_lazy("a rollback to the last good deployment"),
    "restart": gettext_lazy("a restart of what runs"),
    "scale_out": gettext_lazy("more tasks within the maximum"),
    "front_end_rollback": gettext_lazy("a rollback to the last good build"),
}


def why(change: Change) -> str:
    """The sentence; empty while nothing is proposed, and where a gate asks."""
    if change.proposal is None or asked(change.environment, change.proposal.facts):
        return ""
    if not excepted(change.environment, change.proposal.facts):
        return ""
    mode = str(change.proposal.facts.get("mode", ""))
    what = WORDS.get(mode) or mode
    text = _("Nobody is asked: the approval policy wants no second person here for %(what)s.")
    return text % {"what": what}
