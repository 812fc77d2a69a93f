"""What a state edit makes the next version: an earlier version, an uploaded file, an object in S3."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from environments.accounts import access_to
from environments.changes.kinds import ToolFailure
from environments.models import Environment
from environments.runs import known_secrets
from environments.runs.models import StateEdit
from environments.runs.states import store
from environments.runs.workspace import installed
from portal.aws.objects import read_object
from portal.core.canonical import canonical_json
from portal.core.errors import GatehouseError
from portal.core.keyring import keyring
from portal.terraform.errors import TerraformMissing
from portal.terraform.state import State, read_state
from portal.terraform.state_intake import accept_state, meaning, renumbered


def read_wanted(edit: StateEdit, environment: Environment) -> tuple[State, bytes]:
    """The state that is to become the newest, checked if it came from outside. Raises ToolFailure, StateUnreadable."""
    content = wanted_content(edit) if edit.content or edit.version else _fetch(edit, environment)
    if edit.action == StateEdit.Action.IMPORT:
        accept_state(content, terraform=ours())
    return as_state(content, environment), content


def wanted_content(edit: StateEdit) -> bytes:
    """What was uploaded or fetched, or the version to go back to. Raises ToolFailure when it is gone."""
    if edit.version is not None:
        return bytes(edit.version.content)
    if edit.content is None:
        raise ToolFailure(_("The imported state is no longer kept."), _("Request the import again."))
    return bytes(edit.content)


def _fetch(edit: StateEdit, environment: Environment) -> bytes:
    """The object behind s3://bucket/key, read with the role of the environment's account."""
    bucket, _slash, key = edit.source.removeprefix("s3://").partition("/")
    if environment.account is None:
        raise ToolFailure(
            _("The environment has no AWS account to read %(source)s with.") % {"source": edit.source}
        )
    access = access_to(environment.account, environment.region)
    try:
        return read_object(access, bucket, key, most=settings.STATE_MAX_BYTES)
    except GatehouseError as refused:
        raise ToolFailure(
            _("%(source)s could not be read. %(why)s") % {"source": edit.source, "why": refused.message},
            refused.hint,
        ) from refused


def next_body(edit: StateEdit, content: bytes) -> bytes:
    """The wanted content as the next version: the kept lineage and the next serial.

    Into an empty environment a state comes as it is; one of another lineage keeps its own, numbered on.
    """
    newest = store.current(edit.change.environment)
    if newest is None:
        return content
    own = read_state(content)
    if edit.action == StateEdit.Action.IMPORT and own.lineage != newest.lineage:
        return renumbered(content, lineage=own.lineage, serial=max(own.serial, newest.serial + 1))
    return renumbered(content, lineage=newest.lineage, serial=newest.serial + 1)


def fingerprint(content: bytes) -> str:
    """Of what a state says, without its serial and lineage; nobody can guess the secrets in it from this."""
    return keyring().fingerprint(canonical_json(meaning(content)), context="state")


def ours() -> str:
    """The version of Terraform on this machine; "" where there is none (a web host)."""
    try:
        return installed().version
    except TerraformMissing:
        return ""


def as_state(content: bytes, environment: Environment) -> State:
    return read_state(content, known=known_secrets.of_environment(environment))
