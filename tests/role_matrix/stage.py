"""The prepared tenant: one thing of every sort to act on, and one person for each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from environments.blueprints import snapshots
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Review, Transition, Vote
from environments.models import AwsAccount, Definition, Environment, Hold, Membership, Role, Tenant
from environments.runs.models import DriftCheck, DriftIgnore, Leftover, LiveExtra, StateLock, StateVersion
from portal import audit
from portal.accounts.actions import create_token
from portal.accounts.models import SCOPE_READ, SCOPE_STATE_WRITE, User
from portal.audit.models import AuditEvent
from tests.cast import by, member, person
from tests.environments.runs.crafted import planned, row, state_document
from tests.role_matrix.rows import ROLES


@dataclass(frozen=True)
class Stage:
    """`people` by column; `names` are what rows may refer to; `secrets` are tokens by column."""

    people: Mapping[str, User]
    names: Mapping[str, Any]
    secrets: Mapping[str, str]

    def filled(self, value: Any) -> Any:
        """`value` with "{name}" in its strings replaced."""
        if isinstance(value, str):
            return value.format(**self.names) if "{" in value else value
        if isinstance(value, Mapping):
            return {key: self.filled(item) for key, item in value.items()}
        return [self.filled(item) for item in value] if isinstance(value, list) else value


def prepare() -> Stage:
    tenant = Tenant.objects.create(slug="triflow", name="TriFlow AI")
    other = Tenant.objects.create(slug="onno", name="Onno")
    people = {role: member(role, tenant, role) for role in ROLES}
    people["outsider"] = member("outsider", other, *ROLES)
    people["portal_admin"] = person("chief", is_portal_admin=True)
    people["token"] = member("reader", tenant, *ROLES)
    asker = member("asker", tenant, Role.OPERATOR)
    spare = member("spare", tenant, Role.VIEWER)
    person("spare-admin", is_portal_admin=True)
    gone = person("gone", is_active=False)
    member("second-admin", tenant, Role.ADMIN)

    account = AwsAccount.objects.create(tenant=tenant, name="main", account_id="210000000002")
    production = _environment(tenant, "production", account, asker)
    staging = _environment(tenant, "staging", account, asker)
    empty = Environment.objects.create(tenant=tenant, slug="empty", name="empty", blueprint="")
    Hold.objects.create(environment=staging, reason="office move", placed_by=asker)

    names: dict[str, Any] = {
        "account": account.pk,
        "membership": Membership.objects.get(user=spare).pk,
        "person": spare.username,
        "gone": gone.username,
        "here": production.key,
        "held": staging.key,
        "empty": empty.key,
        "digest": f"{1:064d}",
        "tomorrow": (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M"),
        **_changes(production, staging, asker, people["approver"]),
        **_found(production, staging, people["operator"]),
    }
    secrets = {name: create_token(by=by(user), name="matrix")[1] for name, user in people.items()}
    secrets["token"] = create_token(by=by(people["token"]), name="reads", scopes=[SCOPE_READ])[1]
    issued, _plain = create_token(
        by=by(people["operator"]),
        name="writes the state",
        scopes=[SCOPE_STATE_WRITE],
        environment_id=production.key,
        lifetime=timedelta(hours=2),
    )
    own, _plain = create_token(by=by(people["viewer"]), name="the viewer's")
    audit.record(
        actor=by(asker).actor(),
        action="change.request",
        target=audit.Target("change", "1"),
        tenant=tenant.ref,
    )
    names |= {
        "prefix": own.prefix,
        "writes": issued.prefix,
        "event": AuditEvent.objects.filter(tenant_id="triflow").first().uuid,
    }
    return Stage(people, {key: str(value) for key, value in names.items()}, secrets)


def _environment(tenant: Tenant, slug: str, account: AwsAccount, author: User) -> Environment:
    """One with two definitions and two versions of its state."""
    found = Environment.objects.create(
        tenant=tenant, slug=slug, name=slug, environment_class=slug, blueprint="steps", account=account
    )
    digest = snapshots.current_snapshot("steps").digest
    for number in (1, 2):
        Definition.objects.create(
            environment=found,
            number=number,
            blueprint="steps",
            snapshot=digest,
            variables={"label": "step", "counter": "/nowhere"},
            author=author,
        )
        content = state_document(serial=number, addresses=("one",))
        StateVersion.objects.create(
            environment=found,
            number=number,
            lineage="one",
            serial=number,
            size=len(content),
            md5="0" * 32,
            content=content,
            written_by="a test",
        )
    return found


def _changes(place: Environment, other: Environment, asker: User, approver: User) -> dict[str, Any]:
    """Changes at the points where something is to be done."""
    now = timezone.now()

    def one(status: Status, where: Environment = place, **fields: Any) -> Change:
        change = planned(where, asker, [row("aws_s3_bucket.a", "create")])
        Transition.objects.create(change=change, to_status=status, by="a test")
        Change.objects.filter(pk=change.pk).update(status=status, due_at=None, **fields)
        return Change.objects.get(pk=change.pk)

    approved = one(Status.APPROVED, start="manual", approved_at=now)
    Vote.objects.create(proposal=approved.proposal, user=approver, decision="approve", roles=["approver"])
    long_ago = now - timedelta(hours=1)
    stuck = one(Status.EXECUTING, started_at=long_ago, cancel_requested_at=long_ago)
    broken = one(
        Status.SUCCEEDED,
        started_at=long_ago,
        finished_at=now,
        break_glass=True,
        break_glass_reason="Down",
        break_glass_by=asker,
        break_glass_at=long_ago,
    )
    Review.objects.create(change=broken, due_at=now + timedelta(days=2))
    failed = one(Status.FAILED, started_at=long_ago, finished_at=now)
    # Where it lies every run waits for it.
    cut = one(Status.INTERRUPTED, other, started_at=long_ago, finished_at=now)
    left = Leftover.objects.create(
        environment=other, change=cut, address="aws_s3_bucket.b", type="aws_s3_bucket", resource_id="b"
    )
    awaiting = one(Status.AWAITING_APPROVAL)
    return {
        "failed": failed.uuid,
        "cut": cut.uuid,
        "left": left.pk,
        "awaiting": awaiting.uuid,
        "approved": approved.uuid,
        "stuck": stuck.uuid,
        "broken": broken.uuid,
    }


def _found(place: Environment, other: Environment, operator: User) -> dict[str, Any]:
    """Drift, extras beside the state, and a lock that the operator holds by hand in the other environment."""
    now = timezone.now()
    attribute = {"path": "input", "before": "a", "after": "b", "sensitive": False}
    DriftCheck.objects.create(
        environment=place,
        verdict=DriftCheck.Verdict.DRIFTED,
        count=1,
        taken_at=now,
        rows=[{"address": "terraform_data.one", "action": "update", "attributes": [attribute]}],
    )
    ignored = DriftIgnore.objects.create(
        environment=place, address="x.y", action="update", reason="x", until=now + timedelta(days=1), by="x"
    )

    def extra(name: str, risk: int, **fields: Any) -> LiveExtra:
        detail = {"rule_id": f"sgr-{name}", "group_id": "sg-1", "direction": "ingress", "protocol": "tcp"}
        return LiveExtra.objects.create(
            environment=place,
            kind=LiveExtra.Kind.RULE,
            address="aws_security_group.a",
            resource_id="sg-1",
            key=name,
            risk=risk,
            detail={**detail, "from_port": 443, "to_port": 443, "source": "10.0.0.0/8"},
            **fields,
        )

    StateLock.objects.create(
        environment=other, lock_id="by-hand", holder=str(operator), held_by=operator, reason="surgery"
    )
    return {
        "ignored": ignored.pk,
        "extra": extra("low", 10).pk,
        "grave": extra("high", 95).pk,
        "adopted": extra("adopted", 10, adopted_at=now).pk,
    }
