"""What people do with tenants, environments, memberships and accounts: one function, one act."""

from environments.actions.accounts import create_account, update_account
from environments.actions.holds import place_hold, release_hold
from environments.actions.lifecycle import (
    clone_environment,
    create_environment,
    retire_environment,
    update_environment,
)
from environments.actions.memberships import grant_role, revoke_role
from environments.actions.tenants import create_tenant, update_tenant

__all__ = [
    "clone_environment",
    "create_account",
    "create_environment",
    "create_tenant",
    "grant_role",
    "place_hold",
    "release_hold",
    "retire_environment",
    "revoke_role",
    "update_account",
    "update_environment",
    "update_tenant",
]
