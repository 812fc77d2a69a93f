"""What a raw request says about itself."""

import io
from typing import Any

import pytest

from portal.sandbox.requests import action_of, is_signed, may_change, service_of

FORM = "application/x-www-form-urlencoded; charset=utf-8"


def request(body: bytes = b"", **environ: str) -> dict[str, Any]:
    return {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "PATH_INFO": "/", **environ}


@pytest.mark.parametrize(
    ("environ", "action"),
    [
        (request(HTTP_X_AMZ_TARGET="AmazonSQS.SendMessage"), "SendMessage"),
        (request(b"Action=DescribeVpcs&Version=2016-11-15", CONTENT_TYPE=FORM), "DescribeVpcs"),
        (request(QUERY_STRING="Action=GetCallerIdentity&Version=1"), "GetCallerIdentity"),
        (
            request(PATH_INFO="/service/GraniteServiceVersion20100801/operation/PutMetricData"),
            "PutMetricData",
        ),
        (request(b"Action=Sneaky", CONTENT_TYPE="application/octet-stream"), ""),
        (request(), ""),
    ],
)
def test_action(environ: dict[str, Any], action: str) -> None:
    assert action_of(environ) == action


def test_a_form_can_still_be_read() -> None:
    environ = request(b"Action=CreateVpc&CidrBlock=x", CONTENT_TYPE=FORM)
    assert action_of(environ) == "CreateVpc"
    assert environ["wsgi.input"].read() == b"Action=CreateVpc&CidrBlock=x"
    assert action_of(environ) == "CreateVpc", "moto has read the body by now"


@pytest.mark.parametrize(
    ("action", "method", "changing"),
    [
        ("DescribeServices", "POST", False),
        ("ListTagsForResource", "POST", False),
        ("GetSecretValue", "POST", False),
        ("AssumeRole", "POST", True),
        ("ReceiveMessage", "POST", True),
        ("RunInstances", "POST", True),
        ("", "GET", False),
        ("", "HEAD", False),
        ("", "PUT", True),
        ("", "DELETE", True),
        ("", "POST", True),
    ],
)
def test_may_change(action: str, method: str, changing: bool) -> None:
    assert may_change(request(REQUEST_METHOD=method), action) is changing


def test_service_and_signature() -> None:
    scope = "111111111111/20261120/ap-northeast-2/rds/aws4_request"
    header = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    signed = request(HTTP_AUTHORIZATION=header)
    assert service_of(signed) == "rds"
    assert is_signed(signed)
    assert is_signed(request(QUERY_STRING="X-Amz-Signature=abc"))
    assert service_of(request()) == ""
    assert not is_signed(request())
