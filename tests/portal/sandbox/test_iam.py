"""IAM's simulation in the sandbox, by what a client sees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.portal.sandbox.conftest import ClientMaker

PULLS = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


def decisions(iam: Any, role: str, actions: list[str], *resources: str) -> dict[tuple[str, str], str]:
    asked = {"ResourceArns": list(resources)} if resources else {}
    answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=actions, **asked)
    return {
        (row["EvalActionName"], row["EvalResourceName"]): row["EvalDecision"]
        for row in answer["EvaluationResults"]
    }


def made(iam: Any, name: str, *statements: dict[str, Any], **more: Any) -> str:
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}", **more)["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    return str(role)


def test_own_and_attached_policies_allow_and_a_prohibition_wins(client: ClientMaker) -> None:
    iam = client("iam", account="610000000041")
    allow = {"Effect": "Allow", "Action": "s3:Get*", "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b?/*"]}
    deny = {"Effect": "Deny", "Action": ["S3:*"], "Resource": "arn:aws:s3:::a/secret"}
    role = made(iam, "one", allow, deny)
    iam.attach_role_policy(RoleName="one", PolicyArn=PULLS)
    found = decisions(
        iam,
        role,
        ["s3:GetObject"],
        "arn:aws:s3:::a/x",
        "arn:aws:s3:::a/secret",
        "arn:aws:s3:::b1/x",
        "arn:aws:s3:::b/x",
    )
    assert list(found.values()) == ["allowed", "explicitDeny", "allowed", "implicitDeny"]
    assert decisions(iam, role, ["ecr:GetAuthorizationToken", "s3:PutObject"]) == {
        ("ecr:GetAuthorizationToken", "*"): "allowed",
        ("s3:PutObject", "*"): "implicitDeny",
    }


def test_a_boundary_takes_away_and_a_condition_is_told_as_missing(client: ClientMaker) -> None:
    iam = client("iam", account="610000000042")
    everything = {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::none"}
    role = made(iam, "bound", everything, PermissionsBoundary=PULLS)
    found = decisions(iam, role, ["ecr:BatchGetImage", "s3:GetObject", "iam:GetRole"], "*")
    assert list(found.values()) == ["allowed", "implicitDeny", "implicitDeny"]
    condition = {"StringEquals": {"kms:ViaService": "s3"}}
    role = made(iam, "narrow", {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition})
    answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=["kms:Decrypt"])
    (row,) = answer["EvaluationResults"]
    assert (row["EvalDecision"], row["MissingContextValues"]) == ("implicitDeny", ["kms:ViaService"])
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.simulate_principal_policy(PolicySourceArn=role + "x", ActionNames=["a:B"])
