"""The approval policy's page: gates in words, and the form that asks for other ones."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from environments.changes import gates, kinds, policies
from environments.models import Environment
from environments.pages import environment_context, find_environment
from environments.permissions import refusal
from portal.accounts.access import signed_in
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput

MOST_GATES = 12
SPARE_ROWS = 2


def posted_gates(data: QueryDict) -> list[dict[str, Any]]:
    """The gates of the form; a row without a name and roles is none."""
    found = []
    for row in range(MOST_GATES):
        name, roles = data.get(f"gate-{row}-name", "").strip(), data.getlist(f"gate-{row}-roles")
        if not name and not roles:
            continue
        votes = data.get(f"gate-{row}-votes", "1").strip()
        when: dict[str, Any] = dict.fromkeys(data.getlist(f"gate-{row}-when"), True)
        for narrow in gates.NARROWING:
            if chosen := data.getlist(f"gate-{row}-{narrow}"):
                when[narrow] = chosen
        found.append(
            {"name": name, "roles": roles, "votes": int(votes) if votes.isdecimal() else votes, "when": when}
        )
    return found


def form_rows(shown: list[dict[str, Any]], errors: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Rows of the editor, with some empty ones so that gates can be added without JavaScript."""
    spare: list[dict[str, Any]] = [{"name": "", "roles": [], "votes": 1, "when": {}}] * SPARE_ROWS
    return [
        {
            **gate,
            "n": number,
            "spare": not gate["name"],
            "errors": [
                text for key, texts in errors.items() if key.startswith(f"gates.{number}") for text in texts
            ],
        }
        for number, gate in enumerate([*shown, *spare][:MOST_GATES])
    ]


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest, tenant: str, slug: str) -> HttpResponse:
    environment = find_environment(request, tenant, slug)
    shown, errors, status = policies.as_rows(gates.policy_in_force(environment)), {}, 200
    if request.method == "POST":
        shown = posted_gates(request.POST)
        try:
            change = policies.edit_policy(
                by=principal_of(request),
                environment=environment,
                gates=shown,
                reason=request.POST.get("reason", ""),
            )
            messages.success(request, _("Requested. The policy in force decides who has to agree."))
            return redirect("changes:detail", change.uuid)
        except InvalidInput as wrong:
            errors, status = wrong.errors, 400
    context = page_context(request, environment)
    context |= {"rows": form_rows(shown, errors), "form_errors": errors.get("gates", [])}
    context["typed_reason"] = request.POST.get("reason", "")
    return render(request, "changes/policy.html", context, status=status)


def page_context(request: HttpRequest, environment: Environment) -> dict[str, Any]:
    """What the page shows besides the form's rows."""
    context = environment_context(request, environment, "policy")
    return context | {
        "in_force": gates.policy_in_force(environment),
        "number": policies.policy_number(environment),
        "denied": refusal(context["roles"], "policy.update"),
        "voting_roles": [(role.value, role.label) for role in gates.VOTING_ROLES],
        "triggers": gates.TRIGGERS,
        "modes": gates.MODES,
        "kinds": kinds.names(),
    }
