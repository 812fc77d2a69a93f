"""The real provider applies a stack that needs every addition, finds nothing to do, and destroys it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal.sandbox.testing import GoldenSnapshot, RunningSandbox, running_sandbox
from portal.terraform.environment import base_env
from portal.terraform.installation import Installation, install
from tests.portal.sandbox.conftest import client_for

STACK = Path(__file__).with_name("stack")
ACCOUNT = "121212121212"
RESOURCES = 41
NO_CHANGES, CHANGES = 0, 2


@dataclass
class Stack:
    """A working folder with the stack's code and, once applied, its state."""

    folder: Path
    installation: Installation

    def run(self, sandbox: RunningSandbox, *arguments: str, expect: int = 0) -> str:
        """Run a Terraform command against that sandbox; returns what it said."""
        environment = {
            **base_env(cli_config=self.installation.cli_config, home=self.folder),
            **sandbox.environment(ACCOUNT),
        }
        command = [str(self.installation.binary), arguments[0], "-no-color", *arguments[1:]]
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert ended.returncode == expect, ended.stdout[-6000:]
        return ended.stdout


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """The stack's code in a folder of its own."""
    folder = tmp_path / "stack"
    shutil.copytree(STACK, folder)
    return Stack(folder, install(folder=tmp_path / "terraform"))


@pytest.mark.slow
@pytest.mark.terraform
def test_a_stack_lives_and_dies_cleanly(stack: Stack, tmp_path: Path) -> None:
    with running_sandbox() as sandbox:
        stack.run(sandbox, "init", "-input=false")
        applied = stack.run(sandbox, "apply", "-input=false", "-auto-approve")
        assert f"{RESOURCES} added, 0 changed, 0 destroyed" in applied
        golden = GoldenSnapshot.take(sandbox, tmp_path / "golden")
    # From here on in another process that knows only what the first one saved.
    with golden.running() as sandbox:
        stack.run(sandbox, "plan", "-input=false", "-detailed-exitcode", expect=NO_CHANGES)
        _change_something_outside(sandbox)
        drift = stack.run(sandbox, "plan", "-input=false", "-detailed-exitcode", expect=CHANGES)
        assert "aws_ecs_service.this" in drift
        assert "0 to add, 1 to change, 0 to destroy" in drift
        edits = ("-var=budget=600", "-var=backup_schedule=cron(0 19 ? * SUN *)")
        changed = stack.run(sandbox, "apply", "-input=false", "-auto-approve", *edits)
        assert "0 added, 3 changed, 0 destroyed" in changed
        stack.run(sandbox, "plan", "-input=false", "-detailed-exitcode", *edits, expect=NO_CHANGES)
        destroyed = stack.run(sandbox, "destroy", "-input=false", "-auto-approve")
        assert f"{RESOURCES} destroyed" in destroyed
        _nothing_is_left(sandbox)
        assert sandbox.health()["ok"]


def _change_something_outside(sandbox: RunningSandbox) -> None:
    ecs = client_for(sandbox, "ecs", account=ACCOUNT)
    ecs.update_service(cluster="stack", service="stack", desiredCount=5)


def _nothing_is_left(sandbox: RunningSandbox) -> None:
    rds = client_for(sandbox, "rds", account=ACCOUNT)
    assert rds.describe_db_instances()["DBInstances"] == []
    final = {snapshot["DBSnapshotIdentifier"] for snapshot in rds.describe_db_snapshots()["DBSnapshots"]}
    assert final == {"stack-one-final", "stack-two-final"}
    assert client_for(sandbox, "s3", account=ACCOUNT).list_buckets()["Buckets"] == []
    cache = client_for(sandbox, "elasticache", account=ACCOUNT)
    assert cache.describe_cache_clusters()["CacheClusters"] == []
