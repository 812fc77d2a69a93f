"""What people do in the state room: roll back, and import. Both are changes that pass the gates."""

from __future__ import annotations

import re
from pathlib import PurePath

from django.conf import settings
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.changes import actions as changes
from environments.changes.models import Change
from environments.models import Environment
from environments.permissions import require
from environments.runs.actions import target_of
from environments.runs.models import StateEdit
from environments.runs.reasons import given_reason
from environments.runs.states import store
from environments.runs.states.edit_sources import ours
from environments.runs.states.edits import KIND
from portal.accounts.principals import Principal
from portal.aws.objects import BUCKET, LONGEST_KEY
from portal.core.errors import InvalidInput
from portal.terraform.errors import StateUnreadable
from portal.terraform.state import State
from portal.terraform.state_intake import accept_state

S3 = re.compile(r"s3://([^/]+)/(.+)\Z")


def request_rollback(*, by: Principal, environment: Environment, number: int, reason: str) -> Change:
    """Ask that an earlier version becomes the newest again. Raises NotAllowed, InvalidInput, Conflict."""
    with acting(by, environment, action="change.request", target=target_of(environment)):
        require(by, environment, "state.edit")
        text = given_reason(reason)
        version = environment.state_versions.filter(number=number).defer("content").first()
        if version is None:
            raise InvalidInput({"version": [_("There is no such state version.")]})
        change = changes.request(
            by=by,
            environment=environment,
            kind=KIND,
            title=_("Roll the state of %(environment)s back to version %(n)s")
            % {"environment": environment, "n": number},
            reason=text,
        )
        StateEdit.objects.create(change=change, action=StateEdit.Action.ROLLBACK, version=version)
    return change


def request_import(
    *,
    by: Principal,
    environment: Environment,
    reason: str,
    content: bytes | None = None,
    file_name: str = "",
    s3: str = "",
    confirm_name: str = "",
) -> Change:
    """Ask that a state from a file (`content`) or from s3://bucket/key becomes the newest.

    A file is checked here, an object when a worker has read it. `confirm_name`, the environment's id, says
    that a state of other infrastructure (another lineage) may replace the kept one.
    Raises NotAllowed, InvalidInput, Conflict.
    """
    with acting(by, environment, action="change.request", target=target_of(environment)):
        require(by, environment, "state.edit")
        text = given_reason(reason)
        confirmed = confirm_name == environment.key
        if (content is None) == (not s3.strip()):
            raise InvalidInput({"file": [_("Give either a file or an S3 address.")]})
        if content is None:
            source = _s3_address(environment, s3.strip())
        else:
            source = store.tidy(PurePath(file_name or "upload").name, 200)
            _may_follow(environment, _accepted(content), confirmed=confirmed)
        change = changes.request(
            by=by,
            environment=environment,
            kind=KIND,
            title=_("Import a state into %(environment)s") % {"environment": environment},
            reason=text,
        )
        StateEdit.objects.create(
            change=change,
            action=StateEdit.Action.IMPORT,
            source=source,
            content=content,
            replaces_lineage=confirmed,
        )
    return change


def _accepted(content: bytes) -> State:
    if len(content) > settings.STATE_MAX_BYTES:
        raise InvalidInput({"file": [_("The file is larger than a state may be here.")]})
    try:
        return accept_state(content, terraform=ours())
    except StateUnreadable as unreadable:
        raise InvalidInput({"file": [str(unreadable)]}) from unreadable


def _may_follow(environment: Environment, found: State, *, confirmed: bool) -> None:
    kept = store.position(environment)
    if kept["lineage"] and kept["lineage"] != found.lineage and not confirmed:
        raise InvalidInput(
            {
                "confirm_name": [
                    _(
                        "This state has another lineage than the one kept here: it describes other infrastructure. "
                        "Type %(key)s to replace the kept one."
                    )
                    % {"key": environment.key}
                ]
            }
        )


def _s3_address(environment: Environment, text: str) -> str:
    found = S3.match(text)
    key_fits = found is not None and len(found[2].encode("utf-8", "replace")) <= LONGEST_KEY
    if found is None or not BUCKET.match(found[1]) or not key_fits or store.tidy(text, 1200) != text:
        raise InvalidInput({"s3": [_("Write the address as s3://bucket/path/to/terraform.tfstate.")]})
    if environment.account is None:
        raise InvalidInput(
            {"s3": [_("The environment has no AWS account to read it with; upload the file.")]}
        )
    return text
