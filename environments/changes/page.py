"""The change page's context: the card with its gates and buttons, what differs, the story so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.changes import comparing, emergency_page, log_places, unasked, waiting
from environments.changes.abilities import Ability, abilities, barred_voters
from environments.changes.gates import GateState, evaluate
from environments.changes.kinds import ChangeKind, kind_of
from environments.changes.lifecycle import RETRYABLE, WORKING, Status
from environments.changes.models import Change, Vote
from environments.pages import environment_context, person_of


@dataclass(frozen=True)
class Act:
    """A button of the change page: what it is called, how it looks, what its dialog asks."""

    name: str
    label: Any
    variant: str
    icon: str
    comment: Any = ""
    comment_required: bool = False


ACTS = {
    act.name: act
    for act in (
        Act("approve", gettext_lazy("Approve"), "primary", "outline/check", gettext_lazy("Comment")),
        Act(
            "reject",
            gettext_lazy("Reject"),
            "danger",
            "outline/x",
            gettext_lazy("Why not"),
            comment_required=True,
        ),
        Act("start", gettext_lazy("Start"), "primary", "outline/player-play"),
        Act("withdraw", gettext_lazy("Withdraw my vote"), "plain", "outline/arrow-back-up"),
        Act("cancel", gettext_lazy("Cancel the change"), "plain", "outline/ban", gettext_lazy("Why")),
        Act(
            "kill",
            gettext_lazy("Kill Terraform"),
            "danger",
            "outline/skull",
            gettext_lazy("Why"),
            comment_required=True,
        ),
    )
}


def label_of(change: Change, act: Act) -> str:
    """What the act's button says: stopping is each kind's own."""
    stopping = kind_of(change).stopping(change)
    return {"cancel": stopping.label, "kill": stopping.kill}.get(act.name) or str(act.label)


def question(change: Change, act: Act) -> tuple[str, str]:
    """The dialog's title, naming environment and effect, and what pressing it does."""
    stopping = kind_of(change).stopping(change)
    names = {"what": change.title, "environment": change.environment, "summary": change.summary}
    texts = {
        "approve": (_("Approve “%(what)s”?"), _("In %(environment)s: %(summary)s.")),
        "reject": (_("Reject “%(what)s”?"), _("It ends here; the requester is told.")),
        "start": (_("Start “%(what)s”?"), _("In %(environment)s: %(summary)s. It begins at once.")),
        "withdraw": (_("Withdraw your vote?"), _("“%(what)s” may then wait for votes again.")),
        "cancel": (stopping.question, stopping.effect),
        "kill": (
            _("Kill Terraform in %(environment)s?"),
            _("What it has not saved yet is lost from the state. Do this only if cancelling did not help."),
        ),
    }
    title, effect = texts[act.name]
    return title % names, effect % names


def start_note(change: Change) -> str:
    """What follows an approval, in the gate card."""
    if change.status != Status.AWAITING_APPROVAL:
        return ""
    if change.start == "at" and change.start_at and change.start_at <= timezone.now():
        return _("Its time has passed: approving starts it at once.")
    return {
        "on_approval": _("Approving starts it at once: the requester chose so."),
        "manual": _("After approval it waits until an operator presses Start."),
        "at": _("After approval it waits for its time."),
    }[change.start]


def _gate(state: GateState, *, rejected: bool) -> dict[str, Any]:
    gate = state.gate
    return {
        "name": gate.name,
        "needed": gate.votes,
        "given": len(state.votes),
        "satisfied": state.passed,
        "rejected": rejected,
        "roles": gate.roles,
        "why": "" if "always" in gate.triggers else ", ".join(trigger_words(gate.triggers)),
        "may_vote": state.may_vote,
    }


def trigger_words(triggers: tuple[str, ...]) -> list[str]:
    words = {
        "always": _("always"),
        "destroys": _("because it destroys or replaces"),
        "touches_iam": _("because it touches permissions"),
        "touches_network": _("because it touches the network"),
    }
    return [words[name] for name in triggers]


def _votes(change: Change) -> list[dict[str, Any]]:
    current = change.proposal.digest if change.proposal else ""
    rows = Vote.objects.filter(proposal__change=change).select_related("user", "proposal")
    told = [
        {
            "by": str(vote.user),
            "decision": vote.decision if vote.withdrawn_at is None else "withdraw",
            "comment": vote.comment,
            "at": vote.withdrawn_at or vote.at,
            "void": vote.withdrawn_at is None and vote.proposal.digest != current,
            "carried": vote.carried_from.proposal.change if vote.carried_from else None,
        }
        for vote in rows.select_related("carried_from__proposal__change")
    ]
    told += [
        {"by": str(row.user), "decision": "comment", "comment": row.text, "at": row.at, "void": False}
        for row in change.comments.select_related("user")
    ]
    return sorted(told, key=lambda vote: vote["at"])


def _buttons(change: Change, able: dict[str, Ability]) -> dict[str, Any]:
    """Buttons this person may press now; those that a person in their place may look for, with the reason."""
    shown, off = [], []
    for act in ACTS.values():
        ability = able[f"can_{act.name}"]
        if ability.allowed:
            shown.append(
                {
                    "label": label_of(change, act),
                    "url": reverse("changes:act", args=[change.uuid, act.name]),
                    "variant": act.variant,
                    "method": "get",
                    "dialog": f"ask-{act.name}",
                    "icon": act.icon,
                }
            )
        elif (act.name == "approve" and change.status == Status.AWAITING_APPROVAL) or (
            act.name == "kill"
            and kind_of(change).stopping(change).kill
            and change.cancel_requested_at
            and change.status in WORKING
        ):
            off.append({"label": label_of(change, act), "reason": ability.reason})
    return {"buttons": [*shown, *emergency_page.buttons(change, able)], "barred": off}


def dialogs(change: Change, able: dict[str, Ability]) -> list[dict[str, Any]]:
    """One confirm dialog a pressable button."""
    found = []
    for act in ACTS.values():
        if able[f"can_{act.name}"].allowed:
            title, effect = question(change, act)
            found.append(
                {
                    "id": f"ask-{act.name}",
                    "act": act,
                    "label": label_of(change, act),
                    "title": title,
                    "effect": effect,
                    "url": reverse("changes:act", args=[change.uuid, act.name]),
                }
            )
    return found


def gate_card(request: HttpRequest, change: Change) -> dict[str, Any]:
    """The gate card and the dialogs behind its buttons."""
    user = person_of(request)
    able = abilities(change, user)
    rejected = change.status == Status.REJECTED
    states = evaluate(change, barred=barred_voters(change))
    return {
        "gates": [_gate(state, rejected=rejected and not state.passed) for state in states],
        "votes": _votes(change),
        "unasked": unasked.why(change),
        "expires_at": change.expires_at if change.is_open else None,
        "note": start_note(change),
        "differs": comparing.sentence(change, user),
        "dialogs": dialogs(change, able),
        "able": able,
        **_buttons(change, able),
    }


def anew(change: Change, kind: ChangeKind) -> str:
    """Where the like of it is asked for; empty where the kind has no such page."""
    place = change.environment
    return reverse(kind.request_url, args=[place.tenant.slug, place.slug]) if kind.request_url else ""


def moving(request: HttpRequest, change: Change) -> dict[str, Any]:
    """What changes while somebody looks: asked for every second or two, so no more than that."""
    kind = kind_of(change)
    return {
        "change": change,
        "waiting": waiting.told(change),
        "progress_template": kind.progress_template,
        "failure_title": kind.failure_title,
        "transitions": list(change.transitions.all()),
        "working": change.status in WORKING,
        "cancelling": kind.stopping(change).under_way % {"who": change.cancel_requested_by},
        "live_every": "700ms" if change.status in WORKING else "2s",
        "stamp": stamp(change),
        "again": anew(change, kind),
        "retryable": change.status in RETRYABLE and kind.repeatable,
        "retries": list(change.retries.all()) if change.is_final else [],
        **emergency_page.facts(change),
        **kind.progress(change),
        **(kind.aftermath(change, person_of(request)) if change.is_final else {}),
    }


def context(request: HttpRequest, change: Change) -> dict[str, Any]:
    """Everything the change page shows."""
    kind = kind_of(change)
    return {
        **environment_context(request, change.environment, "changes"),
        **moving(request, change),
        "consequences": kind.consequences(change),
        "proposal_template": kind.proposal_template,
        "proposals": list(change.proposals.all()),
        "replaces": list(Change.objects.filter(superseded_by=change)),
        "log_after": log_places.tail(change),
        "debt": emergency_page.debt(change),
        **gate_card(request, change),
        **kind.page(change, person_of(request)),
    }


def stamp(change: Change) -> str:
    """Changes whenever the page's larger parts are no longer true: votes, proposal, status."""
    votes = Vote.objects.filter(proposal__change=change)
    withdrawn = votes.exclude(withdrawn_at=None).count()
    return f"{change.version}.{change.proposal_id or 0}.{votes.count()}.{withdrawn}.{change.comments.count()}"
