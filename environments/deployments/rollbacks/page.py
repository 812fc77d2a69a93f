"""What the rollback page shows: which services, what comes back, whether somebody has to approve it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes.gates import Gate
from environments.changes.models import Change
from environments.deployments.models import Deployment, DeploymentPart
from environments.deployments.rollbacks.choices import Choice, choices
from environments.deployments.rollbacks.preview import Preview, gates_of, previews
from environments.deployments.shown.revisions import revision
from environments.models import Environment, Role


def asked(environment: Environment, query: QueryDict) -> list[Choice]:
    """From the address: ?service=NAME (again and again), ?change=UUID to undo, ?to=UUID to go back to."""
    return choices(
        environment,
        named=query.getlist("service"),
        undone=_change(environment, query.get("change", "")),
        to=_deployment(environment, query.get("to", "")),
    )


def context(environment: Environment, query: QueryDict) -> dict[str, Any]:
    """The page; asks AWS, and says what it could not tell."""
    found = previews(environment, asked(environment, query))
    ready = [one for one in found if one.choice.good and not one.hopeless and not one.runs_it_already]
    return {
        "found": [_shown(environment, one) for one in found],
        "ready": ready,
        "gate": gate_words(gates_of(environment, ready), some=bool(ready)),
        "undone": _change(environment, query.get("change", "")),
        "query": query.urlencode(),
    }


def gate_words(gates: Sequence[Gate] | None, *, some: bool) -> str:
    """Whether somebody else has to say yes, before anybody presses anything."""
    if not some:
        return ""
    if gates is None:
        return _("Whether somebody has to approve it is only known once it is proposed.")
    if not gates:
        return _(
            "Nobody has to approve it: it begins as soon as you press the button, ahead of all that waits."
        )
    told = [
        ngettext("%(n)s vote of %(roles)s", "%(n)s votes of %(roles)s", gate.votes)
        % {"n": gate.votes, "roles": ", ".join(str(Role(role).label).lower() for role in gate.roles)}
        for gate in gates
    ]
    return _("It waits for %(votes)s, then goes ahead of all that waits.") % {"votes": "; ".join(told)}


def _shown(environment: Environment, one: Preview) -> dict[str, Any]:
    good, plan = one.choice.good, one.plan
    here = [environment.tenant.slug, environment.slug]
    page = reverse("deployments:rollback", args=here)
    return {
        "preview": one,
        "service": one.choice.service,
        "good": good,
        "now": revision(plan.running.arn) if plan else "",
        "then": revision(good.registered_arn) if good else "",
        "ready": good is not None and not one.hopeless and not one.runs_it_already,
        "others": [
            {
                "part": part,
                "url": page + "?" + urlencode({"service": one.choice.service.name, "to": _uuid(part)}),
            }
            for part in one.choice.others
        ],
    }


def _uuid(part: DeploymentPart) -> str:
    return str(part.deployment.change.uuid)


def _change(environment: Environment, text: str) -> Change | None:
    """The deployment's change of this environment; 404 for anything else that is named."""
    if not text:
        return None
    rows = Change.objects.filter(environment=environment, kind="deployment").select_related("deployment")
    found = rows.filter(uuid=_as_uuid(text)).first()
    if found is None:
        raise Http404
    return found


def _deployment(environment: Environment, text: str) -> Deployment | None:
    change = _change(environment, text)
    return change.deployment if change else None


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
