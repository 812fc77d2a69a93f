"""Finding Terraform and its providers."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from portal.terraform.environment import backend_env, base_env
from portal.terraform.errors import TerraformMissing
from portal.terraform.installation import existing_cli_config, find_terraform, install, write_cli_config
from portal.terraform.mirrors import Mirror, find_mirror
from portal.terraform.process import spawn

AWS = "registry.terraform.io/hashicorp/aws"


def provider(folder: Path, name: str = "hashicorp/aws", platform: str = "linux_amd64") -> None:
    (folder / "registry.terraform.io" / name / "5.0.0" / platform).mkdir(parents=True)


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_missing_binary_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerraformMissing, match=r"no Terraform in PATH\. Install Terraform 1\.6") as caught:
        find_terraform()
    assert "\n" not in str(caught.value)
    with pytest.raises(TerraformMissing, match="/nowhere/terraform"):
        find_terraform("/nowhere/terraform")


def test_an_old_or_broken_binary_is_named(tmp_path: Path) -> None:
    old = script(tmp_path / "old", """echo '{"terraform_version": "1.5.7", "platform": "linux_amd64"}'""")
    with pytest.raises(TerraformMissing, match=r"1\.5\.7, which is too old"):
        find_terraform(old)
    for body in ("exit 3", "echo no json", "echo '[]'", "echo '{}'"):
        with pytest.raises(TerraformMissing, match="does not answer like Terraform"):
            find_terraform(script(tmp_path / f"broken-{hash(body)}", body))


def test_a_new_binary_in_the_same_place_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "terraform"
    for number, version in enumerate(("1.6.0", "1.11.4")):
        script(path, f"""echo '{{"terraform_version": "{version}", "platform": "x_y"}}'""")
        os.utime(path, (number, number))
        assert find_terraform(str(path)) == (path, version, "x_y")


def test_the_mirror_named_by_the_setting_wins(tmp_path: Path) -> None:
    provider(tmp_path / "named")
    provider(tmp_path / "home" / ".terraform.d" / "plugins")
    environ = {"HOME": str(tmp_path / "home"), "XDG_DATA_DIRS": str(tmp_path)}
    assert find_mirror(str(tmp_path / "named"), environ=environ, tops=()) == Mirror(
        tmp_path / "named", frozenset({AWS})
    )
    found = find_mirror(None, environ=environ, tops=())
    assert found is not None
    assert found.path == tmp_path / "home" / ".terraform.d" / "plugins"


def test_a_mirror_in_an_unusual_folder_is_found_within_bounds(tmp_path: Path) -> None:
    provider(tmp_path / "tools" / "terraform-providers")
    found = find_mirror(None, environ={"XDG_DATA_DIRS": str(tmp_path / "no")}, tops=(str(tmp_path),))
    assert found is not None
    assert found.path == tmp_path / "tools" / "terraform-providers"
    (deep := tmp_path / "deep" / "a" / "b" / "c").mkdir(parents=True)
    provider(deep)
    assert find_mirror(None, environ={"XDG_DATA_DIRS": "/no"}, tops=(str(tmp_path / "deep"),)) is None


def test_a_mirror_for_another_machine_is_no_mirror(tmp_path: Path) -> None:
    provider(tmp_path, platform="darwin_arm64")
    assert find_mirror(str(tmp_path), environ={"XDG_DATA_DIRS": "/no"}, tops=()) is None
    packed = tmp_path / "registry.terraform.io" / "hashicorp" / "random"
    packed.mkdir()
    (packed / "terraform-provider-random_3.6.0_linux_amd64.zip").touch()
    found = find_mirror(str(tmp_path), environ={}, tops=())
    assert found is not None
    assert found.providers == {"registry.terraform.io/hashicorp/random"}


def test_cli_configuration_with_and_without_a_mirror(tmp_path: Path) -> None:
    odd = tmp_path / 'a "b" ${c}'
    text = write_cli_config(tmp_path / "one", Mirror(odd, frozenset({AWS}))).read_text()
    assert f'exclude = ["{AWS}"]' in text
    assert '\\"b\\" $${c}' in text
    text = write_cli_config(tmp_path / "two", None).read_text()
    assert "provider_installation" not in text
    assert (tmp_path / "two" / "providers").is_dir()


def test_an_administrator_s_own_provider_rules_are_kept(tmp_path: Path) -> None:
    own = tmp_path / "own.tfrc"
    own.write_text('provider_installation {\n network_mirror {\n url = "https://mirror.example/"\n }\n}\n')
    assert existing_cli_config({"TF_CLI_CONFIG_FILE": str(own)}) == own
    assert existing_cli_config({"TF_CLI_CONFIG_FILE": str(tmp_path / "missing")}) is None
    own.write_text('credentials "app.terraform.io" {}')
    assert existing_cli_config({"TF_CLI_CONFIG_FILE": str(own)}) is None


@pytest.mark.terraform
def test_install_on_this_machine_gives_a_configuration_terraform_accepts(tmp_path: Path) -> None:
    found = install(tmp_path / "installation")
    work = tmp_path / "work"
    work.mkdir()
    (work / "main.tf").write_text('resource "terraform_data" "a" {}\n')
    env = base_env(cli_config=found.cli_config, home=tmp_path / "home")
    process = spawn(
        [str(found.binary), "init", "-input=false", "-no-color"],
        workdir=work,
        env=env,
        log_path=tmp_path / "log",
    )
    assert process.finish() == 0
    assert "Warning" not in (tmp_path / "log").read_text()


def test_environment_holds_nothing_of_the_worker_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "TF_VAR_x", "TF_LOG", "SECRET_KEY", "DATABASE_URL"):
        monkeypatch.setenv(name, "leak")
    env = base_env(cli_config=tmp_path / "rc", home=tmp_path / "home", data_dir=tmp_path / "data")
    assert "leak" not in env.values()
    assert env["HOME"] == str(tmp_path / "home")
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert env["TF_DATA_DIR"] == str(tmp_path / "data")


def test_backend_settings_travel_in_the_environment() -> None:
    env = backend_env("https://portal/state/1", "run-7", "pw")
    assert env["TF_HTTP_ADDRESS"] == env["TF_HTTP_LOCK_ADDRESS"] == env["TF_HTTP_UNLOCK_ADDRESS"]
    assert (env["TF_HTTP_LOCK_METHOD"], env["TF_HTTP_UNLOCK_METHOD"]) == ("LOCK", "UNLOCK")
    assert (env["TF_HTTP_USERNAME"], env["TF_HTTP_PASSWORD"]) == ("run-7", "pw")
