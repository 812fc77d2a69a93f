"""What people do here. One function is one act: may they? do it and write it down, in one transaction."""

from portal.accounts.actions.people import (
    create_person,
    deactivate_person,
    reactivate_person,
    reset_password,
    temporary_password,
    update_person,
    update_profile,
)
from portal.accounts.actions.sessions import change_password, sign_in, sign_out
from portal.accounts.actions.tokens import create_token, revoke_token

__all__ = [
    "change_password",
    "create_person",
    "create_token",
    "deactivate_person",
    "reactivate_person",
    "reset_password",
    "revoke_token",
    "sign_in",
    "sign_out",
    "temporary_password",
    "update_person",
    "update_profile",
]
