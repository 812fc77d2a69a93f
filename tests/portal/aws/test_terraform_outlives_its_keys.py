"""The real provider goes back to the file when its keys have run out."""

import json
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.aws import credentials_file
from portal.aws.credentials_file import refresh, write_credentials
from portal.aws.sessions import AccountAccess
from portal.core.clock import local_now
from portal.terraform.environment import base_env
from portal.terraform.installation import install

MODULE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
resource "aws_sns_topic" "early" {
  name = "early"
}
resource "terraform_data" "long" {
  depends_on = [aws_sns_topic.early]
  provisioner "local-exec" {
    command = "touch started; while [ ! -e go ]; do sleep 0.2; done"
  }
}
resource "aws_sns_topic" "late" {
  name       = "late"
  depends_on = [terraform_data.long]
}
output "arns" {
  value = [aws_sns_topic.early.arn, aws_sns_topic.late.arn]
}
"""


@pytest.mark.slow
@pytest.mark.terraform
def test_a_long_apply_signs_in_again(
    access: AccountAccess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "main.tf").write_text(MODULE)
    installation = install(tmp_path / "installation")
    # A name with a space: the command in the configuration must survive it.
    run = write_credentials(access, tmp_path / "aws keys")
    env = base_env(cli_config=installation.cli_config, home=tmp_path / "home") | run.environment
    terraform = str(installation.binary)
    subprocess.run([terraform, "init"], cwd=source, env=env, check=True, capture_output=True, timeout=120)

    end = end_soon(tmp_path / "aws keys" / credentials_file.KEYS, timedelta(seconds=25))
    apply = subprocess.Popen(
        [terraform, "apply", "-auto-approve"], cwd=source, env=env, stdout=subprocess.DEVNULL
    )
    try:
        wait_for(source / "started")
        # Keys of another account stand for new ones: what is made with them shows which were used.
        other = replace(access, account_id="444444444444", role_arn="arn:aws:iam::444444444444:role/x")
        run.access, run.expires_at = other, local_now()
        assert len(refresh(run)) == 2
        time.sleep(max(0.0, (end - local_now()).total_seconds()) + 1)
        (source / "go").touch()
        assert apply.wait(120) == 0
    finally:
        apply.kill()
        apply.wait()
    shown = subprocess.run(
        [terraform, "output", "-json", "arns"],
        cwd=source,
        env=env,
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert json.loads(shown.stdout) == [
        "arn:aws:sns:ap-northeast-2:333333333333:early",
        "arn:aws:sns:ap-northeast-2:444444444444:late",
    ]


def end_soon(path: Path, left: timedelta) -> datetime:
    end = datetime.now(UTC) + left
    keys = json.loads(path.read_text())
    keys["Expiration"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    path.write_text(json.dumps(keys))
    return end


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.1)
