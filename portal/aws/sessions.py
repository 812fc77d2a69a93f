"""The way into an AWS account: always by AssumeRole, the sandbox included.

Which AWS an account is, its `kind` says and nothing else: credentials, profiles or endpoints that happen
to lie in the process's environment never decide.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import botocore.session
from botocore.config import Config
from django.conf import settings
from django.utils.translation import gettext as _

from portal.aws.errors import AwsError, aws_errors
from portal.aws.limits import throttle
from portal.core.clock import local_now

SESSION_NAME = "gatehouse"
# What AWS allows when the portal's own credentials come from a role (role chaining).
LIFETIME = timedelta(hours=1)
# Credentials with less than this left are not handed out again.
RESERVE = timedelta(minutes=5)
CLIENTS_KEPT = 128
CONFIG = Config(  # type: ignore[call-arg]  # the stubs miss the last option
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "adaptive", "total_max_attempts": 6},
    max_pool_connections=20,
    user_agent_extra="gatehouse",
    # AWS_ENDPOINT_URL in the environment must not lead a real account's calls elsewhere.
    ignore_configured_endpoint_urls=True,
)


@dataclass(frozen=True)
class Credentials:
    """Short-lived keys of one account; `expires_at` is aware, UTC."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime

    @property
    def secrets(self) -> list[str]:
        """What must never be shown."""
        return [self.secret_access_key, self.session_token]


@dataclass(frozen=True)
class AccountAccess:
    """How one account is reached in one region. Plain values; `endpoint_url` is the sandbox's address."""

    kind: Literal["sandbox", "aws"] | str
    account_id: str
    role_arn: str
    external_id: str
    region: str
    endpoint_url: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("sandbox", "aws"):
            raise _misconfigured(
                _("An account is of kind sandbox or aws, not %(kind)s.") % {"kind": self.kind}
            )
        if (self.kind == "sandbox") != bool(self.endpoint_url):
            raise _misconfigured(_("A sandbox account has an endpoint address, an AWS account has none."))
        if not self.role_arn:
            raise _misconfigured(_("The account has no role that the portal could assume."))

    def client(self, service: str) -> Any:
        """A boto client with the account's temporary credentials, kept while these last.

        Calls made with it raise botocore's errors: wrap them in `aws_errors`, or use `call` and `pages`.
        Raises AwsError when the role cannot be assumed.
        """
        return _CLIENTS.get(self, service)


def call(access: AccountAccess, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
    """One call, by its Python name ("describe_db_snapshots"); raises AwsError."""
    client = access.client(service)
    with aws_errors(client.meta.service_model.signing_name):
        answer: dict[str, Any] = getattr(client, operation)(**parameters)
    return answer


def pages(
    access: AccountAccess, service: str, operation: str, /, **parameters: Any
) -> Iterator[dict[str, Any]]:
    """Every page of a listing call; raises AwsError. For operations that botocore can page."""
    client = access.client(service)
    with aws_errors(client.meta.service_model.signing_name):
        yield from client.get_paginator(operation).paginate(**parameters)


def temporary_credentials(access: AccountAccess, *, session_name: str = SESSION_NAME) -> Credentials:
    """Fresh keys for an hour by AssumeRole; raises AwsError.

    `session_name` shows in the account's CloudTrail (2 to 64 characters of letters, digits, +=,.@-_).
    """
    parameters = {
        "RoleArn": access.role_arn,
        "RoleSessionName": session_name,
        "DurationSeconds": int(LIFETIME.total_seconds()),
    }
    if access.external_id:
        parameters["ExternalId"] = access.external_id
    with aws_errors("sts"):
        client = _base_client(access)
        given = client.assume_role(**parameters)["Credentials"]
    return Credentials(
        access_key_id=given["AccessKeyId"],
        secret_access_key=given["SecretAccessKey"],
        session_token=given["SessionToken"],
        expires_at=given["Expiration"],
    )


def verify_identity(access: AccountAccess) -> str:
    """The account id that STS reports for the assumed role: the account's own, else AwsError."""
    found = str(call(access, "sts", "get_caller_identity")["Account"])
    if found != access.account_id:
        raise AwsError(
            _("These credentials belong to account %(found)s, not to %(expected)s; nothing was done.")
            % {"found": found, "expected": access.account_id},
            code="WrongAccount",
            permanent=True,
            hint=_("Correct the account id or the role on the account's page."),
        )
    return found


def _misconfigured(message: str) -> AwsError:
    hint = _("Correct it on the account's page.")
    return AwsError(message, code="Configuration", permanent=True, hint=hint)


def _closed_session() -> Any:
    """A botocore session that reads no profile and no file of whoever started the process."""
    nothing = os.devnull
    return botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, nothing, None),
            "credentials_file": (None, None, nothing, None),
        }
    )


def _base_client(access: AccountAccess) -> Any:
    """STS as the portal itself: the only call it makes before it is somebody in the account."""
    if access.kind == "sandbox":
        return _sandbox_client(access.region, access.endpoint_url)
    # The ordinary chain (environment, profile, container or instance role), read anew: keys get replaced.
    client = botocore.session.Session().create_client("sts", region_name=access.region, config=CONFIG)
    throttle(client, "portal")
    return client


@lru_cache(maxsize=64)
def _sandbox_client(region: str, endpoint_url: str) -> Any:
    """Kept: making one costs a third of a second, and the sandbox's keys are always the same."""
    client = _closed_session().create_client(
        "sts",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=settings.SANDBOX_PORTAL_ACCOUNT,
        aws_secret_access_key="sandbox",  # noqa: S106 - the sandbox takes any
        config=CONFIG,
    )
    throttle(client, "portal")
    return client


class _Clients:
    """Clients by account and service, the latest used ones, each as long as its credentials last.

    Making one takes a tenth of a second and an AssumeRole; boto clients may be shared between threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[AccountAccess, str], tuple[datetime, Any]] = OrderedDict()
        self._credentials: dict[AccountAccess, Credentials] = {}

    def get(self, access: AccountAccess, service: str) -> Any:
        key = (access, service)
        with self._lock:
            until, client = self._kept.get(key, (None, None))
            if until is not None and until > local_now():
                self._kept.move_to_end(key)
                return client
            credentials = self._credentials.get(access)
        if credentials is None or credentials.expires_at - RESERVE <= local_now():
            credentials = temporary_credentials(access)
        client = _closed_session().create_client(
            service,
            region_name=access.region,
            endpoint_url=access.endpoint_url or None,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=CONFIG,
        )
        throttle(client, access.account_id)
        with self._lock:
            self._credentials = {
                known: kept for known, kept in self._credentials.items() if kept.expires_at > local_now()
            }
            self._credentials[access] = credentials
            self._kept[key] = (credentials.expires_at - RESERVE, client)
            while len(self._kept) > CLIENTS_KEPT:
                self._kept.popitem(last=False)
        return client

    def forget(self) -> None:
        """Begin anew: for tests, and after the portal's own credentials were changed."""
        with self._lock:
            self._kept.clear()
            self._credentials.clear()
        _sandbox_client.cache_clear()


_CLIENTS = _Clients()
forget_clients = _CLIENTS.forget
