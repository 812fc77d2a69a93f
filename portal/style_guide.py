"""Every component in every state on one page: what designers, testers and axe look at."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portal import style_deployments
from portal import style_samples as samples
from portal.accounts.access import signed_in
from portal.core.errors import StaleState
from portal.core.pagination import Page
from portal.core.templatetags.states import CHANGE_STATUSES, STATES

LINES_PER_FETCH = 4


@signed_in
@require_safe
def style_guide(request: HttpRequest) -> HttpResponse:
    """The page; for portal administrators, and for anybody signed in while DEBUG is on."""
    if not (settings.DEBUG or getattr(request.user, "is_portal_admin", False)):
        raise PermissionDenied(_("The style guide is for portal administrators."))
    if "after" in request.GET or "line" in request.GET:
        return _log(request)
    if request.GET.get("part") == "refused":
        raise StaleState(_("Somebody else approved it while you were reading."), hint=_("Reload the page."))
    if "part" in request.GET:
        return render(request, "style_guide/part.html", {"now": samples.stamp()})
    messages.success(request, "Saved. The next run uses definition 8.")
    messages.error(request, "Could not save: the name is taken.")
    return render(request, "style_guide/page.html", _context(samples.stamp()))


def _log(request: HttpRequest) -> JsonResponse:
    """The sample log in the shape of a change's log; offsets count lines here."""
    line = request.GET.get("line", "")
    asked = request.GET.get("after", "0")
    after = int(line) - 1 if line.isdecimal() else int(asked) if asked.isdecimal() else 0
    lines = samples.LOG[after : after + LINES_PER_FETCH]
    end = after + len(lines)
    return JsonResponse(
        {
            "offset": after,
            "first_line": after + 1,
            "text": "".join(lines),
            "next": end,
            "size": len(samples.LOG),
            "complete": end >= len(samples.LOG),
        }
    )


def _context(now: datetime) -> dict[str, Any]:
    typed = {"name": "Not A Slug", "roles": ["viewer"], "region": "us-east-1", "start": "x"}
    return {
        "section": "settings",
        "sandbox": True,
        "print_line": "TriFlow AI / production",
        "crumbs": _crumbs(),
        "tabs": [
            {"label": "Overview", "url": "#top", "current": True},
            {"label": "Definition", "url": "#forms"},
            {"label": "Changes", "url": "#plan", "count": 12},
        ],
        "states": list(STATES),
        "statuses": list(CHANGE_STATUSES),
        "now": now,
        "hour_ago": now - timedelta(hours=1),
        "soon": now + timedelta(minutes=95),
        "counts": {"create": 3, "update": 12, "replace": 1, "delete": 2, "no-op": 40},
        "plan": samples.PLAN,
        "gates": samples.gates(),
        "votes": samples.votes(now),
        "buttons": _buttons(),
        "barred": _barred(),
        "progress": samples.progress(now),
        "fleet": samples.fleet(now),
        "editors": samples.EDITORS,
        "editor_errors": {"var-allowed_cidrs-1": ["10.0.12.0/24 overlaps the private subnet."]},
        "form": samples.SampleForm(),
        "wrong_form": samples.SampleForm(typed),
        "filter_form": samples.SampleFilter(),
        "page": Page(rows=[], older="abc", newer=None),
        "amounts": [
            ("USD", Decimal("1234.5")),
            ("KRW", Decimal("1700000")),
            ("USD", None),
            ("USD", Decimal(-3)),
        ],
        "diff_rows": _diff_rows(),
        "deployments": style_deployments.context(now),
        "raw_error": "Error: creating RDS DB Instance (main): operation error RDS: CreateDBInstance, "
        "https response error StatusCode: 400, DBSubnetGroupDoesNotCoverEnoughAZs",
    }


def _crumbs() -> list[dict[str, Any]]:
    names = ("production", "staging")
    siblings = [{"label": name, "url": "#top", "current": name == "production"} for name in names]
    return [
        {"label": "TriFlow AI", "url": "#top", "siblings": [{"label": "Onno", "url": "#top"}]},
        {"label": "production", "url": "#top", "siblings": siblings},
    ]


def _buttons() -> list[dict[str, str]]:
    return [
        {"label": "Approve", "url": "#approve", "variant": "primary", "dialog": "approve"},
        {"label": "Reject", "url": "#reject", "variant": "plain", "dialog": "reject"},
    ]


def _barred() -> list[dict[str, str]]:
    return [{"label": "Start", "reason": "The gate Network and IAM still waits for a vote of security."}]


def _diff_rows() -> list[dict[str, Any]]:
    return [
        {"name": "desired_count", "before": 1, "after": 2, "changed": True},
        {"name": "instance_class", "before": "db.t4g.micro", "after": "db.r6g.large", "changed": True},
        {"name": "region", "before": "ap-northeast-2", "after": "ap-northeast-2"},
        {"name": "redis_auth_token", "sensitive": True, "changed": True},
        {"name": "certificate_arn", "before_missing": True, "after": "arn:aws:acm:…", "changed": True},
    ]
