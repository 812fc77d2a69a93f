"""Which rule of a lifecycle policy takes which image, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.aws import ecr, ecr_lifecycle
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess
from tests.portal.aws.fakes import denied, fakes

__all__ = ["fakes"]

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def image(name: str, *tags: str, age: float, **more: Any) -> dict[str, Any]:
    return {"imageDigest": name, "imageTags": list(tags), "imagePushedAt": NOW - timedelta(days=age), **more}


def rule(priority: int, count_type: str, count: int, status: str = "any", **more: Any) -> dict[str, Any]:
    action = more.pop("action", {"type": "expire"})
    selection = {"tagStatus": status, "countType": count_type, "countNumber": count, **more}
    return {"rulePriority": priority, "description": f"r{priority}", "selection": selection, "action": action}


def judged(rules: list[dict[str, Any]], *images: dict[str, Any]) -> dict[str, str]:
    return ecr_lifecycle.judge(ecr_lifecycle.rules(json.dumps({"rules": rules})), images, now=NOW)


def test_a_count_keeps_the_newest():
    found = judged([rule(1, "imageCountMoreThan", 4)], *(image(f"i{n}", f"v{n}", age=n) for n in range(6)))
    assert sorted(found) == ["i1", "i2", "i3", "i4", "i5"]
    assert "rule 1 “r1” deletes it within a day: it keeps 4 images" in found["i5"]
    # Safe today, gone after so many pushes.
    assert "as soon as 1 newer images" in found["i3"]
    assert "as soon as 3 newer images" in found["i1"]


def test_age_counts_from_the_push():
    found = judged(
        [rule(1, "sinceImagePushed", 30, countUnit="days")],
        image("gone", "v1", age=31),
        image("soon", "v2", age=20),
        image("new", "v3", age=0),
    )
    assert "within a day" in found["gone"]
    assert "on 2026-11-30 (UTC)" in found["soon"]
    assert "on 2026-12-20" in found["new"]
    assert judged([rule(1, "sinceImagePushed", 365)], image("new", "v3", age=0)) == {}


def test_age_may_count_from_the_last_pull():
    pulled = image("pulled", "v1", age=90, lastRecordedPullTime=NOW - timedelta(days=1))
    found = judged([rule(1, "sinceImagePulled", 60)], pulled, image("never", "v2", age=90))
    assert list(found) == ["never"]


def test_tags_select_and_every_pattern_needs_one():
    images = (image("both", "prod-1", "web-1", age=9), image("one", "prod-2", age=9), image("none", age=9))
    by_prefix = rule(1, "sinceImagePushed", 5, "tagged", tagPrefixList=["prod", "web"])
    assert list(judged([by_prefix], *images)) == ["both"]
    by_pattern = rule(1, "sinceImagePushed", 5, "tagged", tagPatternList=["*rod-*"])
    assert sorted(judged([by_pattern], *images)) == ["both", "one"]
    untagged = rule(1, "sinceImagePushed", 5, "untagged")
    assert list(judged([untagged], *images)) == ["none"]
    # A dot is a dot.
    dotted = rule(1, "sinceImagePushed", 5, "tagged", tagPrefixList=["prod."])
    assert judged([dotted], *images) == {}


def test_a_rule_before_keeps_its_images_from_the_ones_after():
    rules = [
        rule(9, "sinceImagePushed", 5),
        rule(1, "imageCountMoreThan", 50, "tagged", tagPrefixList=["release"]),
    ]
    found = judged(rules, image("kept", "release-1", age=90), image("taken", "build-1", age=90))
    assert list(found) == ["taken"]


def test_archiving_is_told_and_rules_over_the_archive_are_not_about_these():
    moved = rule(1, "sinceImagePushed", 5, action={"type": "transition", "targetStorageClass": "archive"})
    assert "archives it" in judged([moved], image("a", "v1", age=9))["a"]
    assert (
        judged([rule(1, "sinceImageTransitioned", 5, storageClass="archive")], image("a", "v1", age=9)) == {}
    )


def test_a_rule_that_cannot_be_judged_is_not_taken_for_harmless():
    assert "cannot judge" in judged([rule(1, "byMoonPhase", 5)], image("a", "v1", age=0))["a"]


@pytest.mark.parametrize("text", ("", "{}", "[]", '{"rules": [{}]}', '{"rules": [{"selection": 7}]}'))
def test_a_policy_that_cannot_be_read_is_an_error(text):
    with pytest.raises(AwsError, match="could not be read"):
        ecr_lifecycle.rules(text)


# --- asked of ECR ----------------------------------------------------------------------------------


@pytest.fixture
def access() -> AccountAccess:
    return AccountAccess(
        "aws", "333333333333", "arn:aws:iam::333333333333:role/gatehouse", "", "ap-northeast-2"
    )


def test_only_the_digests_asked_for_are_told(fakes, access):
    policy = json.dumps({"rules": [rule(1, "sinceImagePushed", 1)]})
    fakes("ecr").add_response("get_lifecycle_policy", {"lifecyclePolicyText": policy})
    old = {"imagePushedAt": datetime(2020, 1, 1, tzinfo=UTC)}
    rows = [{"imageDigest": "sha256:" + letter * 64, **old} for letter in "ab"]
    fakes("ecr").add_response("describe_images", {"imageDetails": rows})
    found = ecr.lifecycle_condemned(access, "triflow-api", [rows[0]["imageDigest"]])
    assert list(found) == [rows[0]["imageDigest"]]


def test_without_a_policy_nothing_is_taken(fakes, access):
    fakes("ecr").add_client_error("get_lifecycle_policy", "LifecyclePolicyNotFoundException", "none")
    assert ecr.lifecycle_condemned(access, "triflow-api", ["sha256:a"]) == {}


def test_a_policy_that_may_not_be_read_names_the_action(fakes, access):
    denied(fakes("ecr"), "get_lifecycle_policy")
    with pytest.raises(AwsError, match="ecr:GetLifecyclePolicy"):
        ecr.lifecycle_condemned(access, "triflow-api", ["sha256:a"])
