"""One sandbox for all tests that do not care what else is in it, and clients for any."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from portal.sandbox.testing import RunningSandbox, running_sandbox

ClientMaker = Callable[..., Any]


def client_for(
    sandbox: RunningSandbox, service: str, account: str = "111111111111", **credentials: str
) -> Any:
    """A boto3 client of the sandbox, as that account unless other credentials are given."""
    given = credentials or {"aws_access_key_id": account, "aws_secret_access_key": "any"}
    return boto3.client(service, endpoint_url=sandbox.url, region_name="ap-northeast-2", **given)


def credentials_of(sandbox: RunningSandbox, account: str) -> dict[str, str]:
    """What AssumeRole gives for a role of that account, as boto3 wants it."""
    role = f"arn:aws:iam::{account}:role/portal"
    answer = client_for(sandbox, "sts").assume_role(RoleArn=role, RoleSessionName="test")
    issued = answer["Credentials"]
    return {
        "aws_access_key_id": issued["AccessKeyId"],
        "aws_secret_access_key": issued["SecretAccessKey"],
        "aws_session_token": issued["SessionToken"],
    }


@pytest.fixture(scope="session")
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox shared by tests that use names of their own."""
    with running_sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: RunningSandbox) -> ClientMaker:
    """``client("s3")``: a boto3 client of the shared sandbox."""
    return lambda service, **options: client_for(sandbox, service, **options)
