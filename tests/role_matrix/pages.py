"""The pages: who may open each, and who may press its buttons."""

from __future__ import annotations

from tests.role_matrix.rows import (
    EVERYBODY,
    HIDDEN,
    MEMBERS,
    NO,
    NOT_NOW,
    PORTAL_ADMINS,
    SIGN_IN,
    SIGNED_IN,
    YES,
    Row,
    get,
    may,
    post,
)

OWN_FORM = "The form opens for whoever sees the place and says who may; the POST decides."
PLACE = {"name": "x", "environment_class": "staging", "region": "ap-northeast-2", "account": "{account}"}
ACCOUNT = {"name": "x", "account_id": "210000000009", "kind": "sandbox", "default_region": "ap-northeast-2"}
TENANT = {"name": "TriFlow AI", "currency": "USD"}
# Signed out or signed in: the door is open to all.
DOOR = {**EVERYBODY, "token": YES}
LEFT = {"uuid": "{cut}", "pk": "{left}", "act": "dismiss"}
ADOPT = {"act": "adopt", "adopt-reason": "known"}
IGNORE = {
    "act": "ignore",
    "address": "terraform_data.one",
    "ignore-until": "{tomorrow}",
    "ignore-reason": "known",
    "ignore-path": "",
}
CONFIRM = {"digest": "{digest}", "reason": "Down", "confirm_name": "{here}"}


def _act(name: str, who: object, change: str = "{awaiting}") -> list[Row]:
    """Asking and doing of one act on a change."""
    args = {"uuid": change, "name": name}
    data = {"digest": "{digest}", "comment": "because"}
    return [
        get("changes:act", MEMBERS, args=args, note=OWN_FORM),
        post("changes:act", who, args=args, data=data),  # type: ignore[arg-type]
    ]


ASKED = {"start": "on_approval", "strategy": "rolling", "before": "declared"}
PAGES: list[Row] = [
    get("healthz", EVERYBODY),
    get("readyz", EVERYBODY),
    get("accounts:sign_in", DOOR),
    post("accounts:sign_in", DOOR, data={"username": "x", "password": "y"}),
    post(
        "accounts:sign_out",
        {"*": SIGN_IN, "outsider": SIGN_IN},
        note="Ends the session; the sign-in page follows.",
    ),
    get("accounts:password", SIGNED_IN),
    post("accounts:password", SIGNED_IN, data={"current": "x", "new": "y", "again": "y"}),
    get("accounts:profile", SIGNED_IN),
    post("accounts:profile", SIGNED_IN, data={"display_name": "x"}),
    get("accounts:tokens", SIGNED_IN),
    post("accounts:tokens", SIGNED_IN, data={"name": "x", "days": "1"}),
    post(
        "accounts:token_revoke",
        may("viewer", rest=HIDDEN, portal_admin=YES),
        note="The viewer's own token; portal administrators end anybody's.",
    ),
    get("accounts:people", PORTAL_ADMINS),
    get("accounts:person_new", PORTAL_ADMINS),
    post("accounts:person_new", PORTAL_ADMINS, data={"username": "newcomer"}),
    get("accounts:person", PORTAL_ADMINS),
    post("accounts:person", PORTAL_ADMINS, data={"display_name": "x"}),
    get("accounts:person_deactivate", PORTAL_ADMINS),
    post("accounts:person_deactivate", PORTAL_ADMINS),
    post("accounts:person_reactivate", PORTAL_ADMINS, args={"username": "{gone}"}),
    get("accounts:person_reset_password", PORTAL_ADMINS),
    post("accounts:person_reset_password", PORTAL_ADMINS),
    get("settings", SIGNED_IN),
    get("style_guide", PORTAL_ADMINS),
    # Overview
    get("overview:home", SIGNED_IN),
    get("overview:inbox", SIGNED_IN),
    get("overview:search", SIGNED_IN, query={"q": "production"}),
    # Tenants and accounts
    get("environments:tenants", SIGNED_IN),
    get("environments:tenant_create", PORTAL_ADMINS),
    post("environments:tenant_create", PORTAL_ADMINS, data={**TENANT, "slug": "new"}),
    get("environments:tenant", MEMBERS),
    get("environments:tenant_edit", MEMBERS, note=OWN_FORM),
    post("environments:tenant_edit", may("admin"), data=TENANT),
    get("environments:members", MEMBERS),
    post("environments:members", may("admin"), data={"username": "{person}", "role": "operator"}),
    get("environments:accounts", MEMBERS),
    get("environments:account_create", MEMBERS, note=OWN_FORM),
    post("environments:account_create", may("admin"), data=ACCOUNT),
    get("environments:account_edit", MEMBERS, note=OWN_FORM),
    post("environments:account_edit", may("admin"), data=ACCOUNT),
    get("environments:all_accounts", SIGNED_IN),
    # Environments
    get("environments:environment_create", MEMBERS, note=OWN_FORM),
    post("environments:environment_create", may("operator admin"), data={**PLACE, "slug": "x"}),
    get("environments:detail", MEMBERS),
    get("environments:edit", MEMBERS, note=OWN_FORM),
    post("environments:edit", may("operator admin"), data={**PLACE, "blueprint": "steps"}),
    get("environments:clone", MEMBERS, note=OWN_FORM),
    post("environments:clone", may("operator admin"), data={**PLACE, "slug": "x"}),
    post("environments:hold", may("operator approver security admin"), data={"reason": "x"}),
    post("environments:release", may("operator admin"), args={"slug": "staging"}),
    get("environments:retire", MEMBERS, note=OWN_FORM),
    post("environments:retire", may("admin"), args={"slug": "empty"}, data={"confirm_name": "{empty}"}),
    # Blueprints and definitions
    get("blueprints:list", SIGNED_IN),
    get("blueprints:detail", SIGNED_IN, args={"slug": "steps"}),
    get("blueprints:define", may("operator")),
    post("blueprints:define", may("operator"), data={"base": "2", "label": "x"}),
    get("blueprints:definitions", MEMBERS),
    get("blueprints:definition", MEMBERS),
    get("blueprints:compare", MEMBERS, query={"a": "1", "b": "2"}),
    # Changes
    get("changes:list", SIGNED_IN),
    get("changes:detail", MEMBERS),
    get("changes:live", MEMBERS),
    get("changes:log", MEMBERS),
    get("changes:log_download", MEMBERS),
    post(
        "changes:comment",
        may("operator approver security finance auditor admin"),
        data={"text": "Why?"},
    ),
    *_act("approve", may("approver")),
    *_act("reject", may("approver")),
    *_act("withdraw", may("approver", rest=NOT_NOW), change="{approved}"),
    *_act("start", may("operator"), change="{approved}"),
    *_act("cancel", may("operator admin")),
    *_act("kill", may("admin"), change="{stuck}"),
    get("changes:break_glass", MEMBERS, note=OWN_FORM),
    post("changes:break_glass", may("operator approver security", portal_admin=NO), data=CONFIRM),
    get("changes:review", MEMBERS, args={"uuid": "{broken}"}, note=OWN_FORM),
    post(
        "changes:review",
        may("approver security finance auditor admin"),
        args={"uuid": "{broken}"},
        data={"verdict": "fine", "comment": "read"},
    ),
    get("changes:retry", MEMBERS, args={"uuid": "{failed}"}, note=OWN_FORM),
    post("changes:retry", may("operator"), args={"uuid": "{failed}"}),
    get("changes:differences", MEMBERS),
    get("changes:log_search", MEMBERS, query={"q": "x"}),
    get("changes:of_environment", MEMBERS),
    get("changes:policy", MEMBERS),
    post(
        "changes:policy",
        may("admin"),
        data={"gate-0-name": "A", "gate-0-roles": "approver", "gate-0-when": "always", "gate-0-votes": "2"},
    ),
    # Runs
    get("runs:resource_changes", MEMBERS),
    get("runs:request", MEMBERS, note=OWN_FORM),
    post("runs:request", may("operator"), data={"mode": "plan", "definition": "2", "start": "on_approval"}),
    get("runs:resources", MEMBERS),
    get("runs:outputs", MEMBERS),
    get("runs:drift", MEMBERS),
    post("runs:drift_check", may("operator")),
    get("runs:state_versions", MEMBERS),
    get("runs:state_compare", MEMBERS, query={"a": "1", "b": "2"}),
    post("runs:unlock", may("", admin=NOT_NOW), data={"comment": "dead"}, note="No lock is held."),
    post("runs:state_download", may("admin")),
    # What an interrupted run left
    post("runs:leftovers_import", may("operator admin"), args={"uuid": "{cut}"}),
    get("runs:leftover", MEMBERS, args=LEFT, note=OWN_FORM),
    post("runs:leftover", may("operator admin"), args=LEFT, data={"reason": "gone"}),
    # Drift, and what Terraform does not see
    get("runs:drift_row", MEMBERS, query={"address": "terraform_data.one"}, note=OWN_FORM),
    post("runs:drift_row", may("operator admin"), data=IGNORE),
    post("runs:drift_ignore_end", may("operator admin"), args={"pk": "{ignored}"}),
    get("runs:extra", MEMBERS, args={"pk": "{extra}"}, note=OWN_FORM),
    post("runs:extra", may("operator security admin"), args={"pk": "{extra}"}, data=ADOPT),
    post(
        "runs:extra",
        may("approver security admin"),
        args={"pk": "{grave}"},
        data=ADOPT,
        note="A high risk: living with it is not the word of whoever operates.",
    ),
    # The state room
    post("runs:state_lock", may("operator admin"), data={"comment": "surgery"}),
    post(
        "runs:state_release",
        may("operator", admin=NOT_NOW),
        args={"slug": "staging"},
        note="The operator's own lock; an admin releases it with a reason instead.",
    ),
    get("runs:state_import", MEMBERS, note=OWN_FORM),
    post("runs:state_import", may("operator admin"), data={"reason": "moved in", "s3": "s3://b/k"}),
    get("runs:state_rollback", MEMBERS, note=OWN_FORM),
    post("runs:state_rollback", may("operator admin"), data={"reason": "broken"}),
    get("runs:state_recover", MEMBERS, note=OWN_FORM),
    post("runs:state_recover", may("", admin=NOT_NOW), data={"key": "x"}, note="Only after a restore."),
    get("runs:state_cli", MEMBERS),
    post("runs:state_cli", may("admin"), data={"person": "operator", "hours": "2", "reason": "x"}),
    post("runs:state_token_revoke", may("admin"), args={"prefix": "{writes}"}),
    # Deployments; the environments here have no services
    get("deployments:services", MEMBERS),
    post("deployments:services_look", may("operator approver admin")),
    get(
        "deployments:service",
        may("", rest=HIDDEN),
        args={"service": "api"},
        note="There is no such service; members of the tenant see the page of one.",
    ),
    get("deployments:history", MEMBERS),
    get("deployments:request", MEMBERS, note=OWN_FORM),
    post("deployments:request", may("operator"), data=ASKED),
    get(
        "deployments:images",
        may("", rest=HIDDEN),
        query={"service": "api"},
        note="There is no such service; members of the tenant see the images of one.",
    ),
    get("deployments:restart", MEMBERS, note=OWN_FORM),
    post("deployments:restart", may("operator"), data=ASKED),
    get("deployments:scale", MEMBERS, note=OWN_FORM),
    post("deployments:scale", may("operator"), data=ASKED),
    get("deployments:rollback", MEMBERS, note=OWN_FORM),
    post("deployments:rollback", may("operator"), data={"part": "1"}),
    get("deployments:promote", MEMBERS, note=OWN_FORM),
    post("deployments:promote", may("operator"), data=ASKED),
    get("deployments:front_ends", MEMBERS, note=OWN_FORM),
    post("deployments:front_ends", may("operator"), data={"label": "v2"}),
    get(
        "deployments:front_end_rollback",
        may("", rest=HIDDEN),
        args={"release": "1"},
        note="There is no such release; members of the tenant see the question.",
    ),
    post(
        "deployments:front_end_rollback",
        may("", rest=HIDDEN),
        args={"release": "1"},
        note="There is no such release; operators may ask for one that is there.",
    ),
    get("deployments:pipeline", MEMBERS),
    post("deployments:pipeline", may("operator"), data={"name": "x", "days": "1"}),
    post(
        "deployments:pipeline_revoke",
        may("operator admin"),
        args={"prefix": "0000000000"},
        note="Operators also end one that somebody else made.",
    ),
    # Activity
    get("activity:list", may("auditor admin", outsider=YES), note="An outsider reads their own tenant's."),
    get("activity:export", may("auditor admin", outsider=YES), note="An outsider reads their own tenant's."),
    get("activity:event", may("auditor admin", rest=YES), args={"uuid": "{event}"}),
    get("activity:of_environment", MEMBERS),
]

MACHINES: list[Row] = [
    Row("GET", "runs:state_backend", may("admin", rest=SIGN_IN, outsider=SIGN_IN)),
    *(
        Row(method, "runs:state_backend", may("", rest=SIGN_IN, outsider=SIGN_IN, admin=NO, token=NO))
        for method in ("POST", "DELETE", "LOCK", "UNLOCK")
    ),
]
