"""Credentials for Terraform that outlive their hour.

Terraform reads them through `credential_process`, which prints a file of mode 0600; the worker rewrites
the file before they run out, and Terraform's provider asks again when the stated time is over. So a long
apply goes on, and no key stands in Terraform's environment, where its children would inherit it.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from portal.aws.sessions import AccountAccess, Credentials, temporary_credentials
from portal.core.clock import local_now

PROFILE = "gatehouse"
KEYS, CONFIG, EMPTY = "credentials.json", "config", "no-credentials"
# Rewritten when less than this is left...
REFRESH_BEFORE = timedelta(minutes=20)
# ...and said to end earlier than they do, so that nobody signs a request with keys that die on the way.
STATED_EARLIER = timedelta(minutes=5)
RETRY_AFTER = timedelta(seconds=30)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class RunCredentials:
    """What one Terraform process signs in with. `secrets` grows with every refresh: keep redacting all."""

    access: AccountAccess
    folder: Path
    environment: dict[str, str]
    expires_at: datetime
    secrets: list[str] = field(default_factory=list, repr=False)
    retry_at: datetime = LONG_AGO


def write_credentials(access: AccountAccess, folder: Path) -> RunCredentials:
    """Assume the role and lay the files into `folder` (made, 0700); raises AwsError."""
    credentials = temporary_credentials(access)
    environment = terraform_environment(access, folder)
    _write_keys(folder, credentials)
    return RunCredentials(access, folder, environment, credentials.expires_at, list(credentials.secrets))


def terraform_environment(access: AccountAccess, folder: Path) -> dict[str, str]:
    """Write the AWS configuration (no keys in it) and return the variables that lead Terraform there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = shlex.quote(str((folder / KEYS).resolve()))
    _write(
        folder / CONFIG,
        f"[profile {PROFILE}]\nregion = {access.region}\ncredential_process = /bin/cat {keys}\n",
    )
    _write(folder / EMPTY, "")
    environment = {
        "AWS_CONFIG_FILE": str((folder / CONFIG).resolve()),
        # Else the file in the home folder of whoever started the worker would be read beside it.
        "AWS_SHARED_CREDENTIALS_FILE": str((folder / EMPTY).resolve()),
        "AWS_PROFILE": PROFILE,
        "AWS_REGION": access.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if access.kind == "sandbox":
        environment["AWS_ENDPOINT_URL"] = access.endpoint_url
    return environment


def refresh(run: RunCredentials) -> list[str]:
    """Renew the file when its keys are near their end; returns new secrets (usually none).

    Cheap enough to call every second. Raises AwsError when AWS gives none; asks again after half a minute.
    """
    now = local_now()
    if run.expires_at - now > REFRESH_BEFORE or now < run.retry_at:
        return []
    run.retry_at = now + RETRY_AFTER
    credentials = temporary_credentials(run.access)
    _write_keys(run.folder, credentials)
    run.expires_at = credentials.expires_at
    run.secrets += credentials.secrets
    return credentials.secrets


def _write_keys(folder: Path, credentials: Credentials) -> None:
    stated = (credentials.expires_at - STATED_EARLIER).astimezone(UTC)
    _write(
        folder / KEYS,
        json.dumps(
            {
                "Version": 1,
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "SessionToken": credentials.session_token,
                "Expiration": stated.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        ),
    )


def _write(path: Path, text: str) -> None:
    """Replace the file at once, never readable by others, never half written."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(draft).replace(path)
