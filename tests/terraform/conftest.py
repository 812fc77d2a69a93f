"""The repository's Terraform code in a folder of its own, and a way to run Terraform there."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from portal.terraform.environment import base_env, variable_env
from portal.terraform.installation import Installation, install

SOURCE = Path(__file__).parents[2] / "terraform"
BLUEPRINTS = sorted(path for path in (SOURCE / "blueprints").iterdir() if path.is_dir())
MODULES = sorted(path for path in (SOURCE / "modules").iterdir() if path.is_dir())
FOLDERS = [str(path.relative_to(SOURCE)) for path in [*MODULES, *BLUEPRINTS]]
# What terraform itself leaves behind in a developer's working tree.
LEFTOVERS = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl", "*.tfstate*", "*override.tf")


@dataclass
class Workspace:
    """A copy of terraform/ with what Terraform needs to run in it."""

    root: Path
    installation: Installation

    def run(self, folder: str, *arguments: str, env: Mapping[str, str] | None = None, expect: int = 0) -> str:
        """Run Terraform in a folder of the copy; returns what it said, and fails on another exit code."""
        ended = subprocess.run(
            [str(self.installation.binary), *arguments],
            cwd=self.root / folder,
            env={**base_env(cli_config=self.installation.cli_config, home=self.root), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        assert ended.returncode == expect, ended.stdout[-6000:]
        return ended.stdout

    def init(self, folder: str) -> None:
        """Fetch providers and modules, without the backend."""
        self.run(folder, "init", "-backend=false", "-no-color")

    def use_local_state(self, folder: str) -> None:
        """As the portal does over HTTP, but in a file beside the code."""
        (self.root / folder / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
        self.run(folder, "init", "-no-color")

    def plan(self, folder: str, *arguments: str, env: Mapping[str, str]) -> dict[str, Any]:
        """The plan as Terraform's own JSON."""
        self.run(folder, "plan", "-no-color", "-out=test.tfplan", *arguments, env=env)
        shown: dict[str, Any] = json.loads(self.run(folder, "show", "-json", "test.tfplan", env=env))
        return shown


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("installation"), environ=os.environ)


@pytest.fixture(scope="session")
def checked(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """For tests that change nothing in AWS."""
    return _copy(installation, tmp_path_factory.mktemp("checked"))


@pytest.fixture
def applied(installation: Installation, tmp_path: Path) -> Workspace:
    """For a test that keeps a state."""
    return _copy(installation, tmp_path)


def _copy(installation: Installation, folder: Path) -> Workspace:
    root = folder / "terraform"
    shutil.copytree(SOURCE, root, ignore=LEFTOVERS)
    return Workspace(root, installation)


def secrets(**values: str) -> dict[str, str]:
    """Sensitive variables the way the portal hands them over: never on a command line."""
    return variable_env(values)
