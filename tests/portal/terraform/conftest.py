"""Real Terraform with its built-in provider: init and plan take under a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings

from portal.terraform.adapter import Option
from portal.terraform.environment import backend_env, base_env
from portal.terraform.errors import TerraformMissing
from portal.terraform.installation import Installation, install
from portal.terraform.options import apply_options, init_options, plan_options, show_options
from portal.terraform.process import RunningProcess, start
from tests.portal.terraform.backend import StateServer, serve

# A machine that is busy with other things must not fail a test about content.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    try:
        return install(tmp_path_factory.mktemp("installation"))
    except TerraformMissing as missing:
        pytest.fail(f"{missing}")


@pytest.fixture
def state_server() -> Iterator[StateServer]:
    backend, server = serve()
    yield backend
    server.shutdown()
    server.server_close()


@dataclass
class Workspace:
    """A root module with everything needed to run commands on it."""

    folder: Path
    installation: Installation
    env: dict[str, str]
    started: list[RunningProcess] = field(default_factory=list)

    def write(self, code: str) -> None:
        (self.folder / "main.tf").write_text(code)

    def start(
        self, command: str, *arguments: str, options: Mapping[str, Option] | None = None
    ) -> RunningProcess:
        process = start(
            command,
            *arguments,
            workdir=self.folder,
            env=self.env,
            log_path=self.folder / f"{command.replace(' ', '-')}.log",
            options=options,
            binary=self.installation.binary,
        )
        self.started.append(process)
        return process

    def run(
        self, command: str, *arguments: str, options: Mapping[str, Option] | None = None
    ) -> tuple[int, str]:
        process = self.start(command, *arguments, options=options)
        code = process.finish()
        text = process.log_path.read_text()
        process.log_path.unlink()
        return code, text

    def init(self) -> None:
        code, text = self.run("init", options=init_options())
        assert code == 0, text

    def plan(self, out: str = "plan.bin", **options: object) -> int:
        code, text = self.run("plan", options=plan_options(out, **options))  # type: ignore[arg-type]
        assert code in (0, 2), text
        return code

    def show(self, out: str = "plan.bin") -> str:
        code, text = self.run("show", out, options=show_options())
        assert code == 0, text
        return text

    def apply(self, out: str = "plan.bin") -> None:
        code, text = self.run("apply", out, options=apply_options())
        assert code == 0, text

    def start_apply(self, out: str = "plan.bin") -> RunningProcess:
        return self.start("apply", out, options=apply_options())


@pytest.fixture
def workspace(tmp_path: Path, installation: Installation, state_server: StateServer) -> Iterator[Workspace]:
    folder = tmp_path / "work"
    folder.mkdir()
    env = base_env(cli_config=installation.cli_config, home=tmp_path / "home")
    env |= backend_env(state_server.address, "run", "secret-of-the-run")
    space = Workspace(folder, installation, env)
    yield space
    for process in space.started:
        process.kill()
        process.finish()


def eventually(condition: Callable[[], bool], timeout: float = 20) -> bool:
    """Whether `condition` became true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


HTTP_BACKEND = 'terraform {\n  backend "http" {}\n}\n'
