"""The plain terraform command line against a live portal: what it may do with which token, and what it is told."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from environments.changes import claims
from environments.models import Environment, Resource
from environments.runs.models import StateLock, StateVersion
from environments.runs.states import upkeep
from environments.runs.states.actions import request_import, request_rollback
from environments.runs.states.lock_actions import lock_state, unlock_state
from environments.runs.states.token_actions import issue_state_token
from environments.runs.workspace import installed
from portal.accounts.actions import create_token
from portal.accounts.models import ApiToken, User
from portal.audit.models import AuditEvent
from portal.terraform.environment import base_env
from tests.cast import by
from tests.environments.runs.conftest import Story, environment_of

pytestmark = [pytest.mark.terraform, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CODE = """
terraform {
  backend "http" {}
}

resource "terraform_data" "one" {
  input = "first"
}

output "greeting" {
  value = "hello from ${terraform_data.one.input}"
}
"""


@dataclass
class CommandLine:
    """A person's terraform in a folder of their own, signed in with one token."""

    folder: Path
    address: str
    token: str

    def env(self) -> dict[str, str]:
        env = base_env(cli_config=installed().cli_config, home=self.folder / "home")
        return env | {
            "TF_HTTP_ADDRESS": self.address,
            "TF_HTTP_LOCK_ADDRESS": self.address,
            "TF_HTTP_UNLOCK_ADDRESS": self.address,
            "TF_HTTP_USERNAME": "me",
            "TF_HTTP_PASSWORD": self.token,
            "TF_HTTP_RETRY_MAX": "0",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(installed().binary), *words],
            cwd=self.folder,
            env=self.env(),
            capture_output=True,
            text=True,
            timeout=60,
        )

    @contextmanager
    def start(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run on beside the test; killed at the end if it still does."""
        with (self.folder / "told").open("wb") as told:
            process = subprocess.Popen(
                [str(installed().binary), *words], cwd=self.folder, env=self.env(), stdout=told, stderr=told
            )
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def told(self) -> str:
        return (self.folder / "told").read_text()

    def good(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def bad(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode != 0, done.stdout
        return " ".join((done.stdout + done.stderr).replace("│", " ").split())


@pytest.fixture
def command_line(staging: Environment, live_server: Any, tmp_path: Path) -> Any:
    def made(token: str, name: str = "mine") -> CommandLine:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "main.tf").write_text(CODE)
        return CommandLine(folder, f"{live_server.url}/state/triflow/staging", token)

    return made


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def writing(staging: Environment, admin: User, person: User) -> str:
    _token, plain = issue_state_token(
        by=by(admin), environment=staging, person=person, hours=2, reason="The portal is being repaired"
    )
    return plain


def test_from_nothing_with_a_token_that_writes(staging, command_line, admin, operator):
    mine = command_line(writing(staging, admin, operator))
    mine.good("init", "-no-color")
    mine.good("apply", "-auto-approve", "-no-color")
    assert not StateLock.objects.exists()
    version = StateVersion.objects.get()
    assert (version.change, version.resource_count) == (None, 1)
    events = AuditEvent.objects.filter(actor_kind="token").order_by("id").values_list("action", "actor_id")
    assert ("state.write", "operator") in events
    upkeep.refresh_inventory(staging.pk)
    assert Resource.objects.get().address == "terraform_data.one"
    # What an apply does to an existing state: new serial, new version, the lock given back.
    mine.good("apply", "-auto-approve", "-no-color", "-replace=terraform_data.one")
    assert StateVersion.objects.count() == 2
    assert not StateLock.objects.exists()
    assert "terraform_data.one" in mine.good("state", "list")


def test_a_reading_token_reads_and_its_apply_is_told_what_it_takes(staging, command_line, admin, operator):
    writer = command_line(writing(staging, admin, operator), "writer")
    writer.good("init")
    writer.good("apply", "-auto-approve")
    _row, plain = create_token(by=by(admin), name="read")
    reader = command_line(plain, "reader")
    reader.good("init")
    assert "terraform_data.one" in reader.good("state", "list")
    assert "hello from first" in reader.good("output")
    assert "No changes" in reader.good("plan", "-lock=false", "-no-color")
    assert "this token only reads; an admin issues one that writes" in reader.bad("apply", "-no-color")
    # A person's own folly is theirs; the portal's state does not move.
    said = reader.bad("apply", "-auto-approve", "-no-color", "-lock=false", "-replace=terraform_data.one")
    assert "errored.tfstate" in said
    assert StateVersion.objects.count() == 1
    # The way out that the page names: a token that writes, and the state pushed.
    reader.token = writing(staging, admin, operator)
    reader.good("state", "push", "errored.tfstate")
    assert StateVersion.objects.count() == 2
    assert not StateLock.objects.exists()


def test_it_is_told_who_locked_by_hand_and_why(staging, command_line, admin, operator, operator2):
    mine = command_line(writing(staging, admin, operator))
    mine.good("init")
    lock = lock_state(by=by(operator2), environment=staging, reason="Moving the database")
    said = mine.bad("apply", "-auto-approve", "-no-color")
    assert "Operator2" in said
    assert "Moving the database" in said
    mine.bad("force-unlock", "-force", lock.lock_id)
    assert StateLock.objects.get() == lock
    assert not StateVersion.objects.exists()


def test_a_token_that_ends_during_an_apply_loses_nothing(staging, command_line, admin, operator):
    plain = writing(staging, admin, operator)
    mine = command_line(plain)
    mine.good("init")
    # The apply waits inside its only resource until the token's time is over.
    gate = mine.folder / "go"
    (mine.folder / "main.tf").write_text(
        CODE.replace(
            'input = "first"',
            f'input = "first"\n  provisioner "local-exec" {{\n'
            f'    command = "until [ -e {gate} ]; do sleep 0.05; done"\n  }}',
        )
    )
    with mine.start("apply", "-auto-approve", "-no-color") as running:
        until(lambda: StateLock.objects.exists() and "Creating..." in mine.told())
        ApiToken.objects.filter(scopes=["state.write"]).update(
            expires_at=timezone.now() - timedelta(seconds=1)
        )
        gate.touch()
        assert running.wait(60) == 0, mine.told()
    assert StateVersion.objects.get().resource_count == 1
    assert not StateLock.objects.exists()
    assert "requires auth" in mine.bad("plan")


def test_an_open_run_is_planned_again_after_it_wrote(story, command_line, admin, operator):
    """The same state by turns: a run applied, a command line wrote, a run that was planned before."""
    story.define()
    assert story.apply().status == "succeeded"
    waiting = story.work(story.request("destroy"))
    assert waiting.status == "approved"
    mine = command_line(writing(story.environment, admin, operator))
    mine.good("init")
    mine.good("state", "rm", "terraform_data.step[0]")
    waiting = story.work(waiting)
    assert waiting.proposal.number == 2
    assert waiting.proposal.facts["counts"]["delete"] == 2


def test_a_run_waits_for_a_lock_by_hand_and_goes_on_after_it(story, operator, operator2):
    story.define()
    change = story.work(story.request())
    lock_state(by=by(operator2), environment=story.environment, reason="Moving the database")
    change = story.work(change)
    assert change.status == "approved"
    waiting = claims.waiting_for(change)
    assert "Operator2" in waiting.text
    assert "Moving the database" in waiting.text
    assert story.counted == 0
    # A plan reads past every lock.
    assert story.work(story.request("plan")).status == "planned"
    unlock_state(by=by(operator2), environment=story.environment)
    assert story.work(change).status == "succeeded"
    assert story.counted == 2


def test_rolled_back_the_next_plan_makes_what_was_forgotten(story, operator):
    story.define(steps=1)
    assert story.apply().status == "succeeded"
    before = StateVersion.objects.order_by("-number").first().number
    story.define(steps=2)
    assert story.apply().status == "succeeded"
    change = story.work(
        request_rollback(by=by(operator), environment=story.environment, number=before, reason="Try")
    )
    assert change.proposal.facts["forgets"] == 1
    assert story.work(change).status == "succeeded"
    planned = story.work(story.request("plan"))
    assert planned.proposal.facts["counts"] == {"create": 1}


def test_an_imported_state_is_terraforms_own(story, operator, command_line, admin):
    """A state made elsewhere, brought along as a file: the run that follows finds nothing to do but its outputs."""
    story.define()
    assert story.apply().status == "succeeded"
    content = bytes(StateVersion.objects.order_by("-number").first().content)
    elsewhere = environment_of(story.environment.tenant, "development")
    change = story.work(
        request_import(
            by=by(operator), environment=elsewhere, content=content, file_name="x", reason="Moving house"
        )
    )
    assert story.work(change).status == "succeeded"
    moved = Story(elsewhere, story.operator, story.counter)
    moved.define()
    assert moved.work(moved.request()).status == "no_changes"
