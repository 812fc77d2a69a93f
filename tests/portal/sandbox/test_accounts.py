"""Which account a request belongs to."""

import pytest

from portal.sandbox.accounts import account_of
from portal.sandbox.testing import RunningSandbox, running_sandbox
from tests.portal.sandbox.conftest import ClientMaker, client_for, credentials_of


@pytest.mark.parametrize(
    ("key", "account"),
    [
        ("333333333333", "333333333333"),
        ("000000000007", "000000000007"),
        # Published examples of the layout that AWS uses.
        ("ASIAQNZGKIQY56JQ7WML", "029608264753"),
        ("ASIAY34FZKBOKMUTVV7A", "609629065308"),
        ("AKIAIOSFODNN7EXAMPLE", None),
        ("test", None),
        ("", None),
        ("3333333333333", None),
    ],
)
def test_account_in_an_access_key(key: str, account: str | None) -> None:
    assert account_of(key) == account


def test_a_twelve_digit_key_is_its_account(client: ClientMaker) -> None:
    assert client("sts", account="444444444444").get_caller_identity()["Account"] == "444444444444"


def test_another_key_belongs_to_the_default_account(client: ClientMaker) -> None:
    assert client("sts", account="test").get_caller_identity()["Account"] == "123456789012"


@pytest.mark.parametrize("account", ["200000000001", "200000000002", "000000000003"])
def test_assumed_role_is_in_the_account_of_its_arn(sandbox: RunningSandbox, account: str) -> None:
    credentials = credentials_of(sandbox, account)
    identity = client_for(sandbox, "sts", **credentials).get_caller_identity()
    assert identity["Account"] == account
    assert identity["Arn"] == f"arn:aws:sts::{account}:assumed-role/portal/test"


def test_accounts_do_not_see_each_other(sandbox: RunningSandbox) -> None:
    ours = credentials_of(sandbox, "555555555551")
    theirs = credentials_of(sandbox, "555555555552")
    client_for(sandbox, "sqs", **ours).create_queue(QueueName="ours")
    client_for(sandbox, "logs", **ours).create_log_group(logGroupName="ours")
    client_for(sandbox, "s3", **ours).create_bucket(
        Bucket="ours", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"}
    )
    assert client_for(sandbox, "sqs", **ours).list_queues()["QueueUrls"]
    assert "QueueUrls" not in client_for(sandbox, "sqs", **theirs).list_queues()
    assert not client_for(sandbox, "logs", **theirs).describe_log_groups()["logGroups"]
    assert not client_for(sandbox, "s3", **theirs).list_buckets()["Buckets"]
    # The same account, whichever way one came to it.
    assert client_for(sandbox, "sqs", account="555555555551").list_queues()["QueueUrls"]


def test_keys_of_an_iam_user_are_in_its_account(sandbox: RunningSandbox) -> None:
    iam = client_for(sandbox, "iam", account="666666666666")
    iam.create_user(UserName="somebody")
    key = iam.create_access_key(UserName="somebody")["AccessKey"]
    sts = client_for(
        sandbox, "sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::666666666666:user/somebody"


@pytest.mark.slow
def test_issued_keys_work_after_a_kill_that_lost_them() -> None:
    with running_sandbox() as first:
        credentials = credentials_of(first, "777777777777")
        first.kill()
        with running_sandbox(first.data_dir) as second:
            sts = client_for(second, "sts", **credentials)
            assert sts.get_caller_identity()["Account"] == "777777777777"
