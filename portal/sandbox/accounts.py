"""Which account a request belongs to.

* An access key id of twelve digits is that account.
* A key that the sandbox issued carries its account in itself, as AWS's do, so it goes on working after
  a restart whatever the snapshot holds.
* Any other key belongs to moto's default account, 123456789012.
"""

import base64
import binascii
import re
import sys
from datetime import timedelta
from typing import Any

import moto.iam.models as iam_models
from moto.core.common_models import BaseModel
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import BaseResponse
from moto.core.utils import utcnow
from moto.iam.utils import ACCOUNT_OFFSET
from moto.sts.models import STSBackend

from portal.sandbox.patching import wrap

_ACCOUNT = re.compile(r"\d{12}")
_SIGNED_BY_ACCOUNT = re.compile(r"Credential=(\d{12})/")
_ISSUED_KEY = re.compile(r"(?:AKIA|ASIA)([Q-Z2-7][A-Z2-7]{7})([A-Z2-7])[A-Z2-7]{7}")
_SESSION_KEPT = timedelta(hours=12)


def account_of(access_key: str) -> str | None:
    """The account that an access key id names (twelve digits), or None when it names none."""
    if _ACCOUNT.fullmatch(access_key):
        return access_key
    issued = _ISSUED_KEY.fullmatch(access_key)
    if issued is None:
        return None
    # The layout is AWS's: five bytes hold half of the number, the next letter tells odd from even.
    half_digits, parity = issued.groups()
    try:
        half = int.from_bytes(base64.b32decode(half_digits), "big") - ACCOUNT_OFFSET
    except binascii.Error:
        return None
    number = half * 2 + (parity >= "Q" or parity.isdigit())
    account = f"{number:012d}"
    return account if _ACCOUNT.fullmatch(account) else None


def install() -> None:
    """Teach moto these rules and let it forget what has run out."""
    iam_models.get_account_id_from = _account_id_from
    wrap(BaseResponse, "get_access_key")(_access_key)
    wrap(STSBackend, "assume_role")(_assume_role)
    wrap(STSBackend, "get_caller_identity")(_caller_identity)
    wrap(iam_models.IAMBackend, "_init_aws_policies")(_managed_policies)
    _stop_tracking_instances()


def _account_id_from(access_key: str) -> str:
    return account_of(access_key or "") or DEFAULT_ACCOUNT_ID


def _access_key(original: Any, response: Any) -> str:
    match = _SIGNED_BY_ACCOUNT.search(response.headers.get("Authorization") or "")
    key: str = match.group(1) if match else original(response)
    return key


def _assume_role(original: Any, backend: STSBackend, *args: Any, **kwargs: Any) -> Any:
    session = original(backend, *args, **kwargs)
    _forget_old_sessions(session)
    return session


def _caller_identity(original: Any, backend: STSBackend, *args: Any, **kwargs: Any) -> tuple[str, str, str]:
    user_id, arn, account = original(backend, *args, **kwargs)
    if arn.endswith(":user/moto"):
        # Moto's answer for a key that nobody was given; an account by its number is its root.
        return account, f"arn:{backend.partition}:iam::{account}:root", account
    return user_id, arn, account


def _forget_old_sessions(newest: Any) -> None:
    """Drop sessions that ended long ago; moto keeps them, and looks through all of them at each call."""
    from moto.sts.models import sts_backends

    sessions = sts_backends[newest.account_id][newest.partition].assumed_roles
    oldest = utcnow() - _SESSION_KEPT
    ended = [session for session in sessions if session.expiration < oldest]
    keys = iam_models.iam_backends[newest.account_id][newest.partition].access_keys
    for session in ended:
        sessions.remove(session)
        keys.pop(session.access_key_id, None)


def _managed_policies(original: Any, backend: iam_models.IAMBackend) -> list[Any]:
    """AWS's own policies, 4 MB of text, kept once for all accounts in memory and in a snapshot."""
    policies: list[Any] = original(backend)
    for policy in policies:
        for version in policy.versions:
            version.document = sys.intern(version.document)
    return policies


def _stop_tracking_instances() -> None:
    """Moto's dashboard keeps every object ever made alive; a server that runs for weeks must not."""

    def new(cls: type[BaseModel], *args: Any, **kwargs: Any) -> Any:
        return super(BaseModel, cls).__new__(cls)

    BaseModel.__new__ = staticmethod(new)  # type: ignore[method-assign]
