"""What Terraform signs in with, and that it stays fresh."""

import json
import os
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from portal.aws import credentials_file
from portal.aws.credentials_file import refresh, terraform_environment, write_credentials
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, Credentials
from portal.core.clock import local_now

WHO_AM_I = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


def who_am_i(environment: dict[str, str]) -> str:
    """As a process sees it that has nothing but these variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-c", WHO_AM_I], env=clean | environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_another_process_signs_in_through_the_file(access: AccountAccess, tmp_path: Path) -> None:
    # A name a shell would trip over.
    run = write_credentials(access, tmp_path / "a folder; with $signs")
    assert who_am_i(run.environment) == "333333333333"


def test_the_keys_are_in_a_private_file_only(access: AccountAccess, tmp_path: Path) -> None:
    run = write_credentials(access, tmp_path / "aws")
    keys = json.loads((tmp_path / "aws" / "credentials.json").read_text())
    assert set(run.secrets) == {keys["SecretAccessKey"], keys["SessionToken"]}
    shown = json.dumps(run.environment) + (tmp_path / "aws" / "config").read_text() + repr(run)
    assert not any(secret in shown for secret in run.secrets)
    assert stat.S_IMODE((tmp_path / "aws").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "aws").iterdir()} == {0o600}
    assert {path.name for path in (tmp_path / "aws").iterdir()} == {
        "credentials.json",
        "config",
        "no-credentials",
    }


def test_the_environment_leads_to_one_aws_only(access: AccountAccess, tmp_path: Path) -> None:
    sandbox = terraform_environment(access, tmp_path / "a")
    assert sandbox["AWS_ENDPOINT_URL"] == access.endpoint_url
    assert Path(sandbox["AWS_SHARED_CREDENTIALS_FILE"]).read_text() == ""
    assert (sandbox["AWS_REGION"], sandbox["AWS_EC2_METADATA_DISABLED"]) == ("ap-northeast-2", "true")
    real = AccountAccess("aws", "333333333333", "arn:aws:iam::333333333333:role/x", "", "eu-west-1")
    assert "AWS_ENDPOINT_URL" not in terraform_environment(real, tmp_path / "b")


def test_keys_are_said_to_end_before_they_do(access: AccountAccess, tmp_path: Path) -> None:
    run = write_credentials(access, tmp_path)
    stated = datetime.fromisoformat(json.loads((tmp_path / "credentials.json").read_text())["Expiration"])
    assert timedelta(minutes=4, seconds=58) < run.expires_at - stated < timedelta(minutes=5, seconds=2)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Credentials]:
    """Keys are numbered, and last an hour from when they were asked for."""
    made: list[Credentials] = []

    def assume(access: AccountAccess) -> Credentials:
        number = len(made) + 1
        made.append(
            Credentials("ASIA", f"secret{number}", f"token{number}", local_now() + timedelta(hours=1))
        )
        return made[-1]

    monkeypatch.setattr(credentials_file, "temporary_credentials", assume)
    return made


def test_a_long_apply_gets_new_keys_in_time(
    access: AccountAccess, tmp_path: Path, given: list[Credentials]
) -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False) as clock:
        run = write_credentials(access, tmp_path)
        seen = set()
        for _minute in range(300):
            clock.shift(60)
            refresh(run)
            keys = json.loads((tmp_path / "credentials.json").read_text())
            # Whenever Terraform looks, what it finds is good for a while.
            assert datetime.fromisoformat(keys["Expiration"]) - local_now() >= timedelta(minutes=14)
            seen.add(keys["SecretAccessKey"])
    assert len(seen) == len(given) == 8
    assert run.secrets == [text for keys in given for text in (keys.secret_access_key, keys.session_token)]


def test_nothing_is_asked_while_there_is_time(
    access: AccountAccess, tmp_path: Path, given: list[Credentials]
) -> None:
    run = write_credentials(access, tmp_path)
    assert refresh(run) == []
    assert len(given) == 1
    with time_machine.travel(run.expires_at - timedelta(minutes=19)):
        assert refresh(run) == ["secret2", "token2"]
        assert refresh(run) == []


def test_a_failing_refresh_keeps_the_old_keys_and_waits(
    access: AccountAccess, tmp_path: Path, given: list[Credentials], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_credentials(access, tmp_path)
    before, asked = (tmp_path / "credentials.json").read_text(), []

    def refuse(access: AccountAccess) -> Credentials:
        asked.append(access)
        raise AwsError("no", code="Unreachable", permanent=False)

    monkeypatch.setattr(credentials_file, "temporary_credentials", refuse)
    with time_machine.travel(run.expires_at - timedelta(minutes=19), tick=False) as clock:
        with pytest.raises(AwsError):
            refresh(run)
        for _ in range(29):
            clock.shift(1)
            assert refresh(run) == []
        clock.shift(1)
        with pytest.raises(AwsError):
            refresh(run)
    assert len(asked) == 2
    assert (tmp_path / "credentials.json").read_text() == before
