"""Secrets and parameters: what there is, never a value; what a role may do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portal.aws import listener_rules, rights, secrets, subnets
from portal.aws.errors import AwsError
from portal.aws.secrets import Reference, reference
from portal.aws.sessions import AccountAccess
from tests.portal.aws.fakes import Fakes, denied, fakes

__all__ = ["fakes"]

SECRET = "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:1:parameter"
ROLE = "arn:aws:iam::333333333333:role/execution"


@pytest.fixture
def access() -> AccountAccess:
    return AccountAccess(
        "aws", "333333333333", "arn:aws:iam::333333333333:role/gatehouse", "", "ap-northeast-2"
    )


@pytest.mark.parametrize(
    ("value_from", "found"),
    (
        (SECRET, Reference("secret", SECRET, "eu-west-1", "1")),
        (f"{SECRET}:key::", Reference("secret", SECRET, "eu-west-1", "1", "key")),
        (
            f"{SECRET}:key:AWSPREVIOUS:v1",
            Reference("secret", SECRET, "eu-west-1", "1", "key", "AWSPREVIOUS", "v1"),
        ),
        (f"{PARAMETER}/a/b", Reference("parameter", "/a/b", "eu-west-1", "1")),
        ("plain", Reference("parameter", "plain")),
        ("/a/b", Reference("parameter", "/a/b")),
        ("", Reference("parameter", "")),
    ),
)
def test_references(value_from, found):
    assert reference(value_from) == found


def test_a_secret_is_described_and_its_value_is_never_asked_for(fakes: Fakes, access):
    answer = {
        "ARN": SECRET,
        "VersionIdsToStages": {"1" * 32: ["AWSPREVIOUS"], "2" * 32: ["AWSCURRENT"]},
        "DeletedDate": datetime(2026, 1, 1, tzinfo=UTC),
        "KmsKeyId": "alias/own",
    }
    fakes("secretsmanager").add_response("describe_secret", answer, {"SecretId": SECRET})
    found = secrets.secret(access, reference(f"{SECRET}:key::"))
    assert found is not None
    assert (found.version(), found.version("AWSPREVIOUS"), found.version("X")) == ("2" * 32, "1" * 32, "")
    assert found.deleted


def test_a_secret_that_is_not_there_and_one_that_may_not_be_seen(fakes: Fakes, access):
    fakes("secretsmanager").add_client_error("describe_secret", "ResourceNotFoundException", "none", 400)
    assert secrets.secret(access, reference(SECRET)) is None
    denied(fakes("secretsmanager"), "describe_secret")
    with pytest.raises(AwsError, match="secretsmanager:DescribeSecret"):
        secrets.secret(access, reference(SECRET))


def test_parameters_are_asked_for_together_by_both_names_an_arn_may_mean(fakes: Fakes, access):
    wanted = [reference(f"{PARAMETER}/top"), reference(f"{PARAMETER}/a/b"), reference(f"{PARAMETER}/gone")]
    names = sorted(["/top", "top", "/a/b", "/gone", "gone"])
    fakes("ssm").add_response(
        "describe_parameters",
        {"Parameters": [{"Name": "top", "Version": 3}, {"Name": "/a/b", "Version": 1}]},
        {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": names}]},
    )
    assert secrets.parameters(access, wanted) == {"/top": 3, "/a/b": 1}
    fakes.done()


def test_rights_of_all_pages_and_what_a_condition_hides(fakes: Fakes, access):
    def row(action, decision, **more):
        return {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": decision, **more}

    specific = [{"EvalResourceName": "arn:b", "EvalResourceDecision": "explicitDeny"}]
    iam = fakes("iam")
    asked = {"PolicySourceArn": ROLE, "ActionNames": ["a:A", "b:B"], "ResourceArns": ["*"]}
    first = [row("a:A", "allowed"), row("c:C", "implicitDeny", MissingContextValues=["aws:SourceVpc"])]
    iam.add_response(
        "simulate_principal_policy", {"EvaluationResults": first, "IsTruncated": True, "Marker": "m"}, asked
    )
    second = [row("b:B", "implicitDeny", ResourceSpecificResults=specific)]
    iam.add_response(
        "simulate_principal_policy",
        {"EvaluationResults": second, "IsTruncated": False},
        {**asked, "Marker": "m"},
    )
    assert rights.decisions(access, ROLE, ["a:A", "b:B"], ["*"]) == {
        ("a:A", "*"): rights.ALLOWED,
        ("c:C", "*"): rights.UNJUDGED,
        ("b:B", "*"): rights.IMPLICIT_DENY,
        ("b:B", "arn:b"): rights.EXPLICIT_DENY,
    }


def test_free_addresses_of_many_subnets(fakes: Fakes, access):
    names = [f"subnet-{number:03}" for number in range(201)]
    for batch in (names[:200], names[200:]):
        fakes("ec2").add_response(
            "describe_subnets",
            {"Subnets": [{"SubnetId": batch[0], "AvailableIpAddressCount": 4}]},
            {"Filters": [{"Name": "subnet-id", "Values": batch}]},
        )
    assert subnets.free_addresses(access, names) == {"subnet-000": 4, "subnet-200": 4}


def test_rules_one_by_one_where_some_are_missing(fakes: Fakes, access):
    elb = fakes("elbv2")
    elb.add_client_error("describe_rules", "RuleNotFound", "some", 400)
    elb.add_client_error("describe_rules", "RuleNotFound", "this", 400)
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "g1", "Weight": 1}]}}
    rule = {"RuleArn": "r2", "Actions": [forward, {"Type": "forward", "TargetGroupArn": "g2"}]}
    elb.add_response("describe_rules", {"Rules": [rule]}, {"RuleArns": ["r2"]})
    assert listener_rules.rules(access, ["r1", "r2"]) == {"r2": {"g1", "g2"}}
