"""The environment of a Terraform process: exactly what is listed here, nothing that happens to lie
around.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def base_env(*, cli_config: Path, home: Path, data_dir: Path | None = None) -> dict[str, str]:
    """Environment for any command.

    `home` is a private folder of this run (created 0700): it is HOME and holds TMPDIR, so that no AWS
    profile, token or leftover of the worker's user reaches Terraform. `data_dir` is TF_DATA_DIR (default:
    .terraform of the work folder). Credentials and backend settings are added by the caller.
    """
    temporary = home / "tmp"
    for folder in (home, temporary):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": str(cli_config),
        # The instance metadata service would lend the worker's own identity to a tenant's run.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if data_dir is not None:
        env["TF_DATA_DIR"] = str(data_dir)
    # The way to the registry, where it needs one; carries no identity of ours unless the operator put it
    # there.
    for name in (
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "https_proxy",
        "http_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
    ):
        if os.environ.get(name):
            env[name] = os.environ[name]
    return env


def backend_env(
    address: str, username: str, password: str, *, retry_max: int = 6, retry_wait_max: int = 20
) -> dict[str, str]:
    """The http backend's settings. Never `-backend-config`: those values end up in the plan file and
    outlive it.

    `address` is the state's URL; the lock lives at the same one. Retries (exponential, at most
    `retry_wait_max` seconds apart) bridge a restart of the web process while a long apply runs.
    """
    return {
        "TF_HTTP_ADDRESS": address,
        "TF_HTTP_UPDATE_METHOD": "POST",
        "TF_HTTP_LOCK_ADDRESS": address,
        "TF_HTTP_LOCK_METHOD": "LOCK",
        "TF_HTTP_UNLOCK_ADDRESS": address,
        "TF_HTTP_UNLOCK_METHOD": "UNLOCK",
        "TF_HTTP_USERNAME": username,
        "TF_HTTP_PASSWORD": password,
        "TF_HTTP_RETRY_MAX": str(retry_max),
        "TF_HTTP_RETRY_WAIT_MIN": "1",
        "TF_HTTP_RETRY_WAIT_MAX": str(retry_wait_max),
    }


def variable_env(values: Mapping[str, str]) -> dict[str, str]:
    """Sensitive variables: name -> value as HCL or JSON text, handed over as TF_VAR_name, never as an
    argument.
    """
    return {f"TF_VAR_{name}": value for name, value in values.items()}
