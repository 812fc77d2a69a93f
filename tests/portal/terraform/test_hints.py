"""Known errors come with a hint."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.terraform.hints import RULES, hint_for

# Texts as Terraform 1.11 and hashicorp/aws 5 print them.
KNOWN = {
    "state_lock": "Error: Error acquiring the state lock\n\nError message: HTTP remote state already locked: ID=7",
    "stale_plan": "Error: Saved plan is stale\n\nThe given plan file can no longer be applied because the state was changed",
    "state_not_saved": 'Error: Failed to save state: Post "http://127.0.0.1:1/": dial tcp: connection refused',
    "state_unreadable": 'Error refreshing state: Get "http://127.0.0.1:1/": dial tcp: connect: connection refused',
    "provider_unreachable": (
        "Error: Failed to query available provider packages\n\nCould not retrieve the list of available versions for"
        " provider hashicorp/aws: could not connect to registry.terraform.io: dial tcp: lookup: no such host"
    ),
    "provider_locked": "Error: Inconsistent dependency lock file",
    "cycle": "Cycle: aws_security_group.alb, aws_security_group.ecs, aws_security_group.rds",
    "prevent_destroy": "Error: Instance cannot be destroyed",
    "credentials_expired": "api error ExpiredToken: The security token included in the request is expired",
    "credentials_invalid": "StatusCode: 403, api error InvalidClientTokenId: The security token included is invalid",
    "no_credentials": "Error: No valid credential sources found\n\nPlease see the documentation",
    "assume_role": "User: arn:aws:iam::1:user/p is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/r",
    "access_denied": (
        "creating RDS DB Instance (x): operation error RDS: CreateDBInstance, https response error StatusCode: 403,"
        " RequestID: 1, api error AccessDenied: User: arn:aws:iam::1:user/deploy is not authorized to perform:"
        " rds:CreateDBInstance on resource: arn:aws:rds:x"
    ),
    "access_denied_unnamed": (
        "reading S3 Bucket (b): operation error S3: HeadBucket, https response error StatusCode: 403, RequestID: 1,"
        " HostID: 2, api error Forbidden: Forbidden"
    ),
    "access_denied_plain": "AccessDenied: Access Denied",
    "bucket_exists": "creating S3 Bucket (media): BucketAlreadyExists: The requested bucket name is not available",
    "bucket_not_empty": "api error BucketNotEmpty: The bucket you tried to delete is not empty",
    "secret_scheduled": (
        "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled"
        " for deletion."
    ),
    "final_snapshot": "final_snapshot_identifier is required when skip_final_snapshot is false",
    "deletion_protection": "InvalidParameterCombination: Cannot delete protected DB Instance, please disable deletion protection",
    "throttled": "api error Throttling: Rate exceeded",
    "quota": "VpcLimitExceeded: The maximum number of VPCs has been reached.",
    "maintenance_window": 'Error: "maintenance_window" (mon-19:00) is invalid: must satisfy the format',
    "parameter_combination": "InvalidParameterCombination: RDS does not support creating a DB instance with these",
    "in_use": "DependencyViolation: resource sg-1 has a dependent object",
    "exists": "EntityAlreadyExists: Role with name x already exists.",
    "slow_database": "waiting for RDS DB Instance (x) create: timeout while waiting for state to become 'available'",
    "timeout": "timeout while waiting for resource to be gone (last state: 'deleting', timeout: 10m0s)",
    "unreachable": 'Post "http://127.0.0.1:5000/": dial tcp 127.0.0.1:5000: connect: connection refused',
    "unsupported_argument": 'Error: Unsupported block type\n\nBlocks of type "deployment_configuration" are not expected here',
    "variable_invalid": "Error: Invalid value for variable\n\n  on main.tf line 1",
    "interrupted": "Interrupt received.\nPlease wait for Terraform to exit",
    "provider_crashed": "Error: Plugin did not respond\n\nThe plugin encountered an error",
    "no_space": "write /tmp/x: no space left on device",
}


@pytest.mark.parametrize("code", KNOWN)
def test_a_known_error_gets_its_own_hint(code: str) -> None:
    hint = hint_for(KNOWN[code])
    assert hint is not None
    assert hint.code == code
    assert str(hint)
    assert "%(" not in str(hint)


def test_a_missing_permission_is_named() -> None:
    assert "rds:CreateDBInstance" in str(hint_for(KNOWN["access_denied"]))
    assert "HeadBucket of S3" in str(hint_for(KNOWN["access_denied_unnamed"]))


def test_terraform_s_frames_and_line_breaks_do_not_matter() -> None:
    framed = "╷\n│ Error: Error acquiring the state\n│ lock\n╵"
    hint = hint_for(framed)
    assert hint is not None
    assert hint.code == "state_lock"


def test_an_unknown_error_gets_none() -> None:
    assert hint_for("") is None
    assert hint_for("local-exec provisioner error: exit status 3") is None


def test_codes_are_unique_and_every_place_in_a_remedy_is_filled() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    for rule in RULES:
        places = set(re.findall(r"%\((\w+)\)s", rule.remedy))
        assert places <= set(rule.pattern.groupindex)
        assert rule.remedy.replace("%(", "").count("%") == 0


def test_a_long_log_is_searched_quickly() -> None:
    text = "operation error aaaa: " * 9000
    started = time.process_time()
    assert hint_for(text) is None
    assert time.process_time() - started < 5


@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    hint_for(text)
