"""Whatever AWS says becomes one error, with what to do about it."""

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from portal.aws.errors import AwsError, aws_errors


def answer(
    code: str, message: str = "no", operation: str = "CreateDBSnapshot", status: int = 400
) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},
        operation,
    )


def told(error: Exception, service: str = "rds") -> AwsError:
    with pytest.raises(AwsError) as caught, aws_errors(service):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def test_a_denial_names_the_missing_permission_aws_told() -> None:
    error = told(
        answer(
            "AccessDenied",
            "User: arn:aws:sts::1:assumed-role/gatehouse/gatehouse is not authorized to perform: "
            "rds:AddTagsToResource on resource: arn:aws:rds:x",
        )
    )
    assert (error.action, error.permanent, error.code) == ("rds:AddTagsToResource", True, "AccessDenied")
    assert "rds:AddTagsToResource" in error.message
    assert "Add rds:AddTagsToResource to the policy" in error.hint


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("rds", "CreateDBSnapshot", "rds:CreateDBSnapshot"),
        ("monitoring", "DescribeAlarms", "cloudwatch:DescribeAlarms"),
        ("s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("elasticloadbalancing", "DescribeTargetHealth", "elasticloadbalancing:DescribeTargetHealth"),
    ],
)
def test_a_denial_without_a_name_is_named_after_the_call(service: str, operation: str, action: str) -> None:
    for code in ("AccessDeniedException", "UnauthorizedOperation"):
        assert told(answer(code, "Access denied", operation), service).action == action


def test_a_role_that_cannot_be_assumed_points_to_its_trust_policy() -> None:
    error = told(
        answer("AccessDenied", "not authorized to perform: sts:AssumeRole", "AssumeRole", 403), "sts"
    )
    assert "trust policy" in error.hint


@pytest.mark.parametrize(
    ("code", "status", "permanent"),
    [
        ("Throttling", 400, False),
        ("TooManyRequestsException", 429, False),
        ("ExpiredToken", 403, False),
        ("InvalidDBInstanceState", 400, False),
        ("Whatever", 503, False),
        ("DBInstanceNotFound", 404, True),
        ("ValidationError", 400, True),
        ("InvalidClientTokenId", 403, True),
    ],
)
def test_what_is_worth_another_try(code: str, status: int, permanent: bool) -> None:
    error = told(answer(code, status=status))
    assert (error.code, error.permanent) == (code, permanent)
    assert error.status == 502


def test_no_answer_at_all() -> None:
    for error in (
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    ):
        assert (told(error).code, told(error).permanent) == ("Unreachable", False)
    assert (told(NoCredentialsError()).code, told(NoCredentialsError()).permanent) == ("NoCredentials", True)
    assert told(ParamValidationError(report="bad")).code == "Invalid"


def test_secrets_in_aws_messages_stay_secret() -> None:
    assert "hunter2" not in told(answer("ValidationError", "MasterUserPassword=hunter2 is too short")).message


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), aws_errors("rds"):
        raise KeyError("x")
