"""The API: who may ask what. Everybody here but the last column is signed in with a session."""

from __future__ import annotations

from tests.role_matrix.rows import (
    HIDDEN,
    MEMBERS,
    NO,
    NOT_NOW,
    PORTAL_ADMINS,
    SIGNED_IN,
    YES,
    Row,
    get,
    may,
    post,
)

COLLEAGUE = {**MEMBERS, "outsider": HIDDEN}
SETTLE = may("operator security admin")
DRIFTED = "terraform_data.one"
THERE = {"environment": "{held}"}
NO_VARIABLE = "No variable stands for this attribute."
IGNORE = {"address": DRIFTED, "until": "{tomorrow}", "reason": "known"}
CONFIRM = {"digest": "{digest}", "reason": "Down", "confirm_name": "{here}"}
ACCOUNT = {"name": "x", "account_id": "210000000009", "kind": "sandbox"}


def patch(view: str, who: object, **options: object) -> Row:
    return Row("PATCH", view, who, **options)  # type: ignore[arg-type]


API: list[Row] = [
    get("api:schema", SIGNED_IN),
    get("api:users", SIGNED_IN),
    get("api:user", COLLEAGUE),
    get("api:tokens", SIGNED_IN),
    post("api:tokens", SIGNED_IN, data={"name": "x", "days": 1, "scopes": ["read"]}),
    Row("DELETE", "api:token", may("viewer", rest=HIDDEN), note="The viewer's own token."),
    # Places
    get("api:tenants", SIGNED_IN),
    post("api:tenants", {**PORTAL_ADMINS}, data={"slug": "new", "name": "New"}),
    get("api:tenant", MEMBERS, args={"slug": "triflow"}),
    patch("api:tenant", may("admin"), args={"slug": "triflow"}, data={"owner": "x"}),
    get("api:accounts", SIGNED_IN),
    post("api:accounts", may("admin"), data={**ACCOUNT, "tenant": "triflow"}),
    get("api:account", MEMBERS),
    patch("api:account", may("admin"), data={"name": "x"}),
    get("api:memberships", SIGNED_IN),
    post("api:memberships", may("admin"), data={"tenant": "triflow", "user": "{person}", "role": "operator"}),
    Row("DELETE", "api:membership", may("admin"), args={"pk": "{membership}"}),
    get("api:resources", SIGNED_IN),
    get("api:environments", SIGNED_IN),
    post("api:environments", may("operator admin"), data={"tenant": "triflow", "name": "x"}),
    get("api:environment", MEMBERS),
    patch("api:environment", may("operator admin"), data={"owner": "x"}),
    post("api:environment_clone", may("operator admin"), data={"name": "x"}),
    post("api:environment_hold", may("operator approver security admin"), data={"reason": "x"}),
    post("api:environment_release", may("operator admin"), args={"environment": "{held}"}),
    post(
        "api:environment_retire",
        may("admin"),
        args={"environment": "{empty}"},
        data={"confirm_name": "{empty}"},
    ),
    # Blueprints and definitions
    get("api:blueprints", SIGNED_IN),
    get("api:blueprint", SIGNED_IN, args={"slug": "steps"}),
    get("api:definitions", MEMBERS),
    post("api:definitions", may("operator"), data={"variables": {}}),
    get("api:definition", MEMBERS),
    # Changes
    get("api:changes", SIGNED_IN),
    get("api:change", MEMBERS),
    get("api:change_log", MEMBERS),
    get("api:resource_changes", MEMBERS),
    post("api:change_approve", may("approver"), data={"digest": "{digest}"}),
    post("api:change_reject", may("approver"), data={"comment": "no"}),
    post("api:change_withdraw", may("approver", rest=NOT_NOW), args={"uuid": "{approved}"}),
    post("api:change_start", may("operator"), args={"uuid": "{approved}"}),
    post("api:change_cancel", may("operator admin")),
    post("api:change_kill", may("admin"), args={"uuid": "{stuck}"}, data={"reason": "stuck"}),
    post("api:change_break_glass", may("operator approver security", portal_admin=NO), data=CONFIRM),
    post(
        "api:change_review",
        may("approver security finance auditor admin"),
        args={"uuid": "{broken}"},
        data={"verdict": "fine", "comment": "read"},
    ),
    post(
        "api:change_comments",
        may("operator approver security finance auditor admin"),
        data={"text": "Why?"},
    ),
    post("api:change_retry", may("operator"), args={"uuid": "{failed}"}),
    get("api:approval_policy", MEMBERS),
    Row("PUT", "api:approval_policy", may("admin"), data={"gates": []}),
    # Runs
    post("api:runs", may("operator"), data={"mode": "plan"}),
    get("api:outputs", MEMBERS),
    get("api:state_versions", MEMBERS),
    get("api:drift", MEMBERS),
    post("api:drift", may("operator")),
    # What an interrupted run left
    get("api:leftovers", MEMBERS, args=THERE),
    post(
        "api:leftover_import",
        may("operator admin"),
        args={**THERE, "pk": "{left}"},
        data={"resource_id": "i-1"},
    ),
    post(
        "api:leftover_dismiss", may("operator admin"), args={**THERE, "pk": "{left}"}, data={"reason": "gone"}
    ),
    # Drift, and what Terraform does not see
    post("api:drift_ignores", may("operator admin"), data=IGNORE),
    post("api:drift_ignore_end", may("operator admin"), args={"pk": "{ignored}"}),
    post("api:drift_revert", may("operator"), data={"address": DRIFTED}),
    post(
        "api:drift_accept",
        may("", operator=NOT_NOW),
        data={"address": DRIFTED, "path": "input"},
        note=NO_VARIABLE,
    ),
    get("api:live_extras", MEMBERS),
    post("api:live_extras", may("operator")),
    post(
        "api:live_extra_allow",
        SETTLE,
        args={"pk": "{extra}"},
        data={"until": "{tomorrow}", "reason": "known"},
    ),
    post("api:live_extra_adopt", SETTLE, args={"pk": "{extra}"}, data={"reason": "known"}),
    post(
        "api:live_extra_adopt",
        may("approver security admin"),
        args={"pk": "{grave}"},
        data={"reason": "known"},
        note="A high risk: living with it is not the word of whoever operates.",
    ),
    post("api:live_extra_reopen", SETTLE, args={"pk": "{adopted}"}),
    post("api:live_extra_remove", may("operator"), args={"pk": "{extra}"}),
    # The state room
    get("api:state_compare", MEMBERS, query={"a": "1", "b": "2"}),
    post("api:state_rollback", may("operator admin"), data={"reason": "broken"}),
    post("api:state_imports", may("operator admin"), data={"s3": "s3://b/k", "reason": "moved in"}),
    get("api:state_lock", MEMBERS),
    post("api:state_lock", may("operator admin"), data={"reason": "surgery"}),
    Row(
        "DELETE",
        "api:state_lock",
        may("operator", admin=NOT_NOW),
        args=THERE,
        note="The operator's own lock; an admin releases it with a reason instead.",
    ),
    post("api:state_tokens", may("admin"), data={"person": "operator", "hours": 2, "reason": "x"}),
    # Deployments; the environments here have no services
    get("api:deployments", MEMBERS),
    get("api:deployment_figures", MEMBERS),
    get(
        "api:service_history",
        may("", rest=HIDDEN),
        args={"environment": "{here}", "name": "api"},
        note="There is no such service; members of the tenant see the history of one.",
    ),
    get(
        "api:service_figures",
        may("", rest=HIDDEN),
        args={"environment": "{here}", "name": "api"},
        note="There is no such service; members of the tenant see the figures of one.",
    ),
    post("api:deployments", may("operator"), data={"service": "api", "image": "v2"}),
    get("api:front_ends", MEMBERS),
    post("api:front_ends", may("operator"), data={"label": "v2"}),
    post("api:front_end_rollback", may("operator"), data={"number": 1}),
    post("api:deployments_restart", may("operator"), data={"service": "api"}),
    post("api:deployments_scale", may("operator"), data={"service": "api", "desired": 2}),
    post("api:deployments_rollback", may("operator"), data={"deployment": "{awaiting}"}),
    post("api:deployments_promote", may("operator"), data={"from_environment": "{here}"}),
    get("api:services", MEMBERS),
    get(
        "api:service_images",
        may("", rest=HIDDEN),
        args={"environment": "{here}", "name": "api"},
        note="There is no such service; members of the tenant see the images of one.",
    ),
    # Activity
    get("api:audit_events", may("auditor admin", outsider=YES), note="An outsider reads their own tenant's."),
    get("api:audit_event", may("auditor admin"), args={"uuid": "{event}"}),
]
