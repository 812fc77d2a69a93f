"""Everything that a plain `terraform apply` of one environment needs, in a folder: for the night the portal is gone."""

from __future__ import annotations

import json
import os
from pathlib import Path

from django.db import transaction

from environments.blueprints import snapshots
from environments.models import Definition, Environment
from environments.runs.drift import checks
from environments.runs.models import StateVersion
from environments.runs.states import store
from environments.runs.workspace import VARIABLES_FILE
from portal.accounts.principals import Principal
from portal.core.errors import Conflict
from portal.terraform.errors import TerraformMissing
from portal.terraform.installation import find_terraform

STATE_FILE = "terraform.tfstate"
# Terraform merges it over the blueprint's own: the state comes from the file beside, not from the portal.
OVERRIDE_FILE = "gatehouse_override.tf"
OVERRIDE = f"""terraform {{
  backend "local" {{
    path = "{STATE_FILE}"
  }}
}}
"""
ENVIRONMENT_FILE = "environment.sh"
ROOT_LINK = "root"


def wanted_definition(environment: Environment, number: int | None) -> Definition:
    """The definition with this number; without one the last applied, or else the newest. Raises Conflict."""
    if number is not None:
        found = environment.definitions.filter(number=number).first()
    else:
        run = checks.last_applied(environment)
        found = run.definition if run else environment.latest_definition
    if found is None:
        raise Conflict("The environment has no such definition.")
    return found


def export(
    environment: Environment,
    folder: Path,
    *,
    by: Principal,
    definition: Definition,
    version: StateVersion | None,
    terraform: str = "",
) -> Path:
    """Write blueprint, variables, state, lock file and a local backend; returns the root module's folder.

    All of it holds secrets in clear: folders 0700, files with secrets 0600. It is on the record who took it.
    Raises Conflict when the folder is not empty, NotFound or ArchiveDamaged for the blueprint.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty: an export goes into a folder of its own.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    snapshot = snapshots.snapshot_of(definition.snapshot)
    root = snapshots.unpack(snapshot, folder, platform=_platform(terraform))
    _private(root / OVERRIDE_FILE, OVERRIDE.encode())
    values = {**definition.variables, **definition.sensitive}
    _private(root / VARIABLES_FILE, json.dumps(values, ensure_ascii=False, indent=2).encode())
    if version is not None:
        _private(root / STATE_FILE, bytes(version.content))
    _private(folder / ENVIRONMENT_FILE, _settings(environment).encode())
    (folder / ROOT_LINK).symlink_to(root.relative_to(folder))
    with transaction.atomic():
        taken = {"definition": definition.number, "version": version.number if version else None}
        store.record(environment, by, "environment.export", **taken, folder=str(folder))
    return root


def _platform(terraform: str) -> str:
    """This machine's, as Terraform calls it; "" without Terraform: the blueprint's own lock file stays."""
    try:
        return find_terraform(terraform or None)[2]
    except TerraformMissing:
        return ""


def _private(path: Path, content: bytes) -> None:
    """A new file that only its owner reads; a blueprint that brings one of the same name is refused."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _settings(environment: Environment) -> str:
    """What a run would have had in its environment, less the credentials."""
    lines = [f"# {environment.key}: read it with the dot command before terraform."]
    lines += [f"export AWS_REGION={environment.region}", "export TF_IN_AUTOMATION=1"]
    account = environment.account
    if account is not None:
        role = account.role_arn or "none named"
        lines.append(f"# AWS account {account.account_id} ({account.name}), role {role}")
    return "\n".join(lines) + "\n"
