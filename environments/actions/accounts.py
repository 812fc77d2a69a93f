"""AWS accounts of a tenant: which AWS, which account, which role."""

from __future__ import annotations

from typing import Any

from environments.actions.checking import check, facts
from environments.acts import acting
from environments.models import AwsAccount, Tenant
from environments.permissions import actor, require
from portal import audit
from portal.accounts.principals import Principal

FIELDS = ("name", "account_id", "kind", "role_arn", "external_id", "default_region", "state_bucket")


def target_of(account: AwsAccount) -> audit.Target:
    return audit.Target("account", account.account_id, account.name)


def create_account(*, by: Principal, tenant: Tenant, **fields: Any) -> AwsAccount:
    """Register an AWS account. Raises NotAllowed, InvalidInput."""
    account = AwsAccount(tenant=tenant, **{name: fields[name] for name in FIELDS if name in fields})
    with acting(by, tenant, action="account.create", target=target_of(account)):
        require(by, tenant, "account.manage")
        check(account)
        account.save()
        _record(by, account, "account.create", None)
    return account


def update_account(*, by: Principal, account: AwsAccount, **fields: Any) -> AwsAccount:
    """Alter an account's row; proposals made for the old one are made again before they start."""
    with acting(by, account.tenant, action="account.update", target=target_of(account)):
        require(by, account.tenant, "account.manage")
        before = facts(account, FIELDS)
        for name in FIELDS:
            if name in fields:
                setattr(account, name, fields[name])
        check(account)
        account.save()
        _record(by, account, "account.update", before)
    return account


def _record(by: Principal, account: AwsAccount, action: str, before: dict[str, Any] | None) -> None:
    audit.record(
        actor=actor(by, account.tenant),
        action=action,
        target=target_of(account),
        tenant=account.tenant.ref,
        before=before,
        after=facts(account, FIELDS),
    )
