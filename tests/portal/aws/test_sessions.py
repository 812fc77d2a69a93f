"""Into the right account, by the account's own settings alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from portal.aws import sessions
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, call, pages, temporary_credentials, verify_identity
from portal.core.clock import local_now
from portal.sandbox.testing import RunningSandbox

SOMEBODYS = {
    "AWS_ACCESS_KEY_ID": "444444444444",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_SESSION_TOKEN": "x",
    "AWS_PROFILE": "not-there",
    "AWS_DEFAULT_PROFILE": "not-there",
    "AWS_CONFIG_FILE": "/nowhere/config",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1",
    "AWS_REGION": "eu-west-1",
}


def test_calls_arrive_in_the_account_of_the_role(access: AccountAccess) -> None:
    assert verify_identity(access) == "333333333333"
    arn = call(access, "sts", "get_caller_identity")["Arn"]
    assert "assumed-role/gatehouse/gatehouse" in arn


def test_what_lies_in_the_environment_decides_nothing(
    access: AccountAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SOMEBODYS.items():
        monkeypatch.setenv(name, value)
    assert verify_identity(access) == "333333333333"
    queue = call(access, "sqs", "create_queue", QueueName="here")["QueueUrl"]
    assert "333333333333" in queue


def test_a_real_account_is_never_sent_to_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_RDS"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    real = AccountAccess("aws", "333333333333", "arn:aws:iam::333333333333:role/x", "", "ap-northeast-2")
    assert sessions._base_client(real).meta.endpoint_url == "https://sts.ap-northeast-2.amazonaws.com"
    given = sessions.Credentials("ASIAX", "s", "t", local_now() + timedelta(hours=1))
    monkeypatch.setattr(sessions, "temporary_credentials", lambda access: given)
    assert real.client("rds").meta.endpoint_url == "https://rds.ap-northeast-2.amazonaws.com"


def test_a_real_account_starts_from_the_ordinary_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SOMEBODYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    real = AccountAccess("aws", "333333333333", "arn:aws:iam::333333333333:role/x", "", "ap-northeast-2")
    with pytest.raises(AwsError) as caught:
        real.client("rds")
    assert (caught.value.code, caught.value.permanent) == ("NoCredentials", True)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAPORTAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    signed_by = sessions._base_client(real)._request_signer._credentials.access_key
    assert signed_by == "AKIAPORTAL"


def test_the_wrong_account_stops_before_anything_is_done(access: AccountAccess) -> None:
    with pytest.raises(AwsError, match="belong to account 333333333333, not to 555555555555") as caught:
        verify_identity(replace(access, account_id="555555555555"))
    assert (caught.value.code, caught.value.permanent) == ("WrongAccount", True)


@pytest.mark.parametrize(
    "change", [{"kind": "moto"}, {"endpoint_url": ""}, {"kind": "aws"}, {"role_arn": ""}], ids=str
)
def test_a_half_configured_account_is_refused(access: AccountAccess, change: dict[str, str]) -> None:
    with pytest.raises(AwsError) as caught:
        replace(access, **change)
    assert caught.value.code == "Configuration"


def test_a_sandbox_that_is_not_running_is_said_in_words(
    access: AccountAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sessions, "CONFIG", sessions.CONFIG.merge(type(sessions.CONFIG)(retries={"total_max_attempts": 1}))
    )
    with pytest.raises(AwsError, match="could not be reached") as caught:
        verify_identity(replace(access, endpoint_url="http://127.0.0.1:9"))
    assert not caught.value.permanent


def test_the_role_is_assumed_with_external_id_for_an_hour(
    access: AccountAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}
    original = sessions._base_client

    def base_client(access: AccountAccess):
        client = original(access)
        client.meta.events.register(
            "provide-client-params.sts.AssumeRole", lambda params, **_: asked.update(params)
        )
        return client

    monkeypatch.setattr(sessions, "_base_client", base_client)
    given = temporary_credentials(access, session_name="run-7")
    assert asked == {
        "RoleArn": access.role_arn,
        "RoleSessionName": "run-7",
        "DurationSeconds": 3600,
        "ExternalId": "onno-7",
    }
    assert timedelta(minutes=55) < given.expires_at - local_now() <= timedelta(minutes=61)
    assert given.secret_access_key not in repr(given)
    assert given.session_token not in repr(given)


def test_clients_are_kept_as_long_as_their_credentials(
    access: AccountAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    assumed = []

    def assume(access: AccountAccess) -> sessions.Credentials:
        assumed.append(access)
        return temporary_credentials(access)

    monkeypatch.setattr(sessions, "temporary_credentials", assume)
    first = access.client("sqs")
    assert access.client("sqs") is first
    access.client("sns")
    assert len(assumed) == 1
    replace(access, region="us-east-1").client("sqs")
    assert len(assumed) == 2
    with time_machine.travel(local_now() + timedelta(minutes=56)):
        assert access.client("sqs") is not first
    assert len(assumed) == 3


def test_kept_clients_are_bounded(access: AccountAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "CLIENTS_KEPT", 2)
    first = access.client("sqs")
    access.client("sns")
    access.client("ecs")
    assert access.client("sqs") is not first


def test_pages(access: AccountAccess) -> None:
    for number in range(5):
        call(access, "sqs", "create_queue", QueueName=f"page-{number}")
    found = list(
        pages(access, "sqs", "list_queues", QueueNamePrefix="page-", PaginationConfig={"PageSize": 2})
    )
    assert sum(len(page["QueueUrls"]) for page in found) == 5
    assert len(found) == 3


def test_a_refused_call_is_one_of_ours(sandbox: RunningSandbox, access: AccountAccess) -> None:
    with pytest.raises(AwsError) as caught:
        call(access, "rds", "describe_db_instances", DBInstanceIdentifier="nowhere")
    assert (caught.value.code, caught.value.permanent) == ("DBInstanceNotFound", True)
    with pytest.raises(AwsError) as caught:
        list(pages(access, "ecs", "list_services", cluster="nowhere"))
    assert caught.value.permanent
