"""A run's private folder: the blueprint unpacked, its variables, Terraform's environment; kept and restored whole.

Everything in it may hold secrets: 0700, packed and encrypted for the next phase, deleted at the end.
"""

from __future__ import annotations

import io
import json
import logging
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from environments.accounts import access_to
from environments.blueprints import snapshots
from environments.blueprints.models import BlueprintSnapshot
from environments.changes.kinds import ToolFailure
from environments.changes.leases import LeaseLost
from environments.changes.models import Artefact, Change
from environments.models import Definition, Environment
from environments.runs import folders
from environments.runs.credentials import IssuedCredential
from environments.runs.models import TerraformRun
from portal.aws.credentials_file import RunCredentials, write_credentials
from portal.aws.sessions import verify_identity
from portal.core.errors import GatehouseError, StaleState
from portal.terraform.environment import backend_env, base_env, variable_env
from portal.terraform.installation import Installation, install
from portal.terraform.unmarked import unmarked_secrets

logger = logging.getLogger(__name__)

PLAN_FILE = "gatehouse.tfplan"
VARIABLES_FILE = "gatehouse.auto.tfvars.json"
ARCHIVE = "plan-folder"
SECRETS_FILE = "secrets.json"
# Links into the provider mirror and Terraform's own notes of this machine: made again by init.
LEFT_OUT = ("providers",)


@dataclass
class Workspace:
    """`root` is where Terraform runs, `env` its whole environment, `secrets` what must never be shown."""

    folder: Path
    root: Path
    env: dict[str, str]
    installation: Installation
    secrets: list[str] = field(default_factory=list)
    aws: RunCredentials | None = None

    @property
    def plan_file(self) -> Path:
        return self.root / PLAN_FILE

    def note(self, *more: str) -> None:
        """Keep what must never be shown beside what it opens: whoever salvages the folder has to know it."""
        self.secrets += more
        place = self.folder / SECRETS_FILE
        place.touch(mode=0o600)
        place.write_text(json.dumps(sorted(set(self.secrets))))


def installed() -> Installation:
    """What runs Terraform on this worker."""
    return install(settings.WORK_DIR / "terraform", terraform=settings.TERRAFORM_BINARY or None)


def leaves(value: Any) -> Iterator[str]:
    """Every text and number inside a sensitive value."""
    if isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def secrets_of(definition: Definition) -> list[str]:
    """Its sensitive values, the sensitive defaults of its blueprint, and what its other values give away."""
    found = [*leaves(definition.sensitive), *unmarked_secrets(definition.variables)]
    snapshot = BlueprintSnapshot.objects.filter(digest=definition.snapshot).first()
    for variable in snapshot.schema if snapshot else ():
        if variable.sensitive and variable.has_default:
            found += leaves(variable.default)
    return found


@contextmanager
def workspace(
    change: Change, definition: Definition, credential: IssuedCredential, *, name: str
) -> Iterator[Workspace]:
    """An empty private folder with Terraform's environment; gone at the end, whatever happened."""
    environment = definition.environment
    folder = settings.WORK_DIR / f"{change.uuid}-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    folders.claim(folder)
    left = False
    try:
        installation = installed()
        env = base_env(cli_config=installation.cli_config, home=folder / "home")
        address = f"{settings.INTERNAL_URL}/state/{environment.tenant.slug}/{environment.slug}"
        env |= backend_env(address, credential.username, credential.password)
        env |= variable_env({key: as_argument(value) for key, value in definition.sensitive.items()})
        secrets = [credential.password, *secrets_of(definition)]
        made = Workspace(folder, folder / "source", env, installation, secrets)
        _sign_in(made, environment)
        made.note()
        yield made
    except (LeaseLost, StaleState):
        # What follows in its log only stands here, and this worker may write nothing any more.
        left = TerraformRun.objects.filter(change=change, unreckoned=True).exists()
        raise
    finally:
        if left or any(folder.rglob(folders.UNDELIVERED)):
            # Whoever proves Terraform's end brings it home (salvage.py).
            logger.warning("%s stays for whoever closes the books of this run", folder.name)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def noted_secrets(folder: Path) -> list[str]:
    """What the run that left this folder knew to be secret, its own sign-ins among it."""
    try:
        found = json.loads((folder / SECRETS_FILE).read_text())
    except (OSError, ValueError):
        return []
    return [one for one in found if isinstance(one, str)]


def as_argument(value: Any) -> str:
    """A variable's value as TF_VAR_ wants it: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _sign_in(made: Workspace, environment: Environment) -> None:
    """Check that the credentials reach the environment's own account, and hand them to Terraform by file."""
    if environment.account is None:
        return
    access = access_to(environment.account, environment.region)
    try:
        verify_identity(access)
        made.aws = write_credentials(access, made.folder / "aws")
    except GatehouseError as refused:
        raise ToolFailure(refused.message, refused.hint) from refused
    made.env |= made.aws.environment
    made.secrets += made.aws.secrets


def unpack_definition(made: Workspace, definition: Definition) -> None:
    """Lay out the blueprint's snapshot and write the variables that are not sensitive."""
    snapshot = snapshots.snapshot_of(definition.snapshot)
    made.root = snapshots.unpack(snapshot, made.folder / "source", platform=made.installation.platform)
    target = made.root / VARIABLES_FILE
    target.touch(mode=0o600)
    target.write_text(json.dumps(definition.variables, ensure_ascii=False))


def pack(made: Workspace) -> bytes:
    """The whole source folder with the plan and what the plan refers to, less the providers."""
    source = made.folder / "source"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(source, arcname="source", filter=_without_providers)
    head = {"root": str(made.root.relative_to(made.folder)), "secrets": sorted(set(made.secrets))}
    return json.dumps(head).encode() + b"\n" + buffer.getvalue()


def _without_providers(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = Path(member.name).parts
    if ".terraform" in parts and any(name in parts for name in LEFT_OUT):
        return None
    return member


def head_of(artefact: Artefact) -> dict[str, Any]:
    """What `pack` noted beside the folder: {"root", "secrets"}."""
    found: dict[str, Any] = json.loads(artefact.content.partition(b"\n")[0])
    return found


def restore(made: Workspace, artefact: Artefact) -> None:
    """Lay out again what `pack` kept, on this worker."""
    body = artefact.content.partition(b"\n")[2]
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        archive.extractall(made.folder, filter="tar")
    kept = head_of(artefact)
    made.root = made.folder / kept["root"]
    # What the plan knew to be secret, so that the apply's log does not tell it.
    made.note(*kept.get("secrets", ()))
