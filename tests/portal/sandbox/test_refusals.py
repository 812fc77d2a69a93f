"""What the sandbox cannot do is refused at once, in words."""

import time
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from portal.sandbox.testing import RunningSandbox
from tests.portal.sandbox.conftest import ClientMaker

# One action per protocol that moto lacks; when moto learns one, choose another.
UNIMPLEMENTED: list[tuple[str, str, dict[str, Any], str]] = [
    ("ec2", "describe_ipam_byoasn", {}, "ec2 DescribeIpamByoasn"),
    ("rds", "describe_db_major_engine_versions", {}, "rds DescribeDBMajorEngineVersions"),
    ("ecs", "get_task_protection", {"cluster": "x"}, "ecs GetTaskProtection"),
    ("sqs", "list_message_move_tasks", {"SourceArn": "x"}, "sqs ListMessageMoveTasks"),
    ("cloudwatch", "list_metric_streams", {}, "ListMetricStreams"),
    ("cloudfront", "list_realtime_log_configs", {}, "cloudfront GET /2020-05-31/realtime-log-config"),
    ("lambda", "list_code_signing_configs", {}, "lambda GET /2020-04-22/code-signing-configs"),
]


@pytest.mark.parametrize(("service", "operation", "arguments", "named"), UNIMPLEMENTED)
def test_unimplemented_action_is_a_fast_client_error(
    client: ClientMaker, service: str, operation: str, arguments: dict[str, Any], named: str
) -> None:
    aws = client(service)
    client("sts").get_caller_identity()
    began = time.monotonic()
    with pytest.raises(ClientError) as caught:
        getattr(aws, operation)(**arguments)
    answer = caught.value.response
    assert answer["Error"]["Code"] == "UnsupportedOperation"
    assert named in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ResponseMetadata"]["RetryAttempts"] == 0
    assert time.monotonic() - began < 10


def test_a_mistake_in_moto_is_not_retried(client: ClientMaker) -> None:
    # Moto looks for a key that this (wrong) content does not have.
    with pytest.raises(ClientError) as caught:
        client("ecs").register_container_instance(cluster="none", instanceIdentityDocument="{}")
    assert caught.value.response["Error"]["Code"] == "SandboxFailure"
    assert "instanceId" in caught.value.response["Error"]["Message"]
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_ordinary_errors_stay_what_they_are(client: ClientMaker) -> None:
    with pytest.raises(ClientError) as caught:
        client("s3").head_bucket(Bucket="there-is-no-such-bucket")
    assert caught.value.response["Error"]["Code"] == "404"


def test_a_web_page_cannot_empty_the_sandbox(sandbox: RunningSandbox, client: ClientMaker) -> None:
    client("sns", account="620000000001").create_topic(Name="kept")
    for path in ("/moto-api/reset", "/sandbox/snapshot"):
        headers = {"Origin": "https://elsewhere.example"}
        assert urllib3.request("POST", sandbox.url + path, headers=headers).status == 403
    assert len(client("sns", account="620000000001").list_topics()["Topics"]) == 1


def test_own_addresses_do_not_take_a_bucket_away(sandbox: RunningSandbox, client: ClientMaker) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="sandbox", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    s3.put_object(Bucket="sandbox", Key="healthz", Body=b"mine")
    assert s3.get_object(Bucket="sandbox", Key="healthz")["Body"].read() == b"mine"
    assert sandbox.health()["ok"] is True
    assert urllib3.request("GET", sandbox.url + "/sandbox/nothing").status == 404
