"""Equal proposals have equal digests; different ones do not."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from portal.terraform.digests import ProposalContext, proposal_content, proposal_digest
from portal.terraform.plan import read_plan
from tests.portal.terraform.conftest import HTTP_BACKEND, Workspace
from tests.portal.terraform.documents import change, plan

CONTEXT = ProposalContext(
    kind="terraform",
    mode="apply",
    definition_number=4,
    definition_digest="d" * 64,
    blueprint_digest="b" * 64,
    account_id="111122223333",
    region="ap-northeast-2",
)
SECRET = "correct-horse-battery-1"


def seal(value: bytes) -> str:
    return hmac.new(b"key", value, hashlib.sha256).hexdigest()


def digest(document: bytes | str, context: ProposalContext = CONTEXT) -> str:
    return proposal_digest(read_plan(document), context, hmac=seal)


def update(before: Any, after: Any, **more: Any) -> dict[str, Any]:
    return change("aws_x.a", ["update"], before, after, **more)


BASE = plan(update({"size": 1, "time": "10:00"}, {"size": 2, "time": "10:00"}))


def test_what_moves_on_by_itself_is_left_out() -> None:
    later = plan(
        change("aws_x.z", ["no-op"], {"n": 1}, {"n": 1}),
        update({"size": 1, "time": "10:05"}, {"size": 2, "time": "10:05"}),
        timestamp="2030-01-01T00:00:00Z",
        relevant_attributes=[{"resource": "aws_x.a", "attribute": ["size"]}],
    )
    assert digest(later) == digest(BASE)


def test_order_does_not_matter() -> None:
    one, other = update({"a": 1}, {"a": 2}), change("aws_x.b", ["create"], None, {"b": 1, "c": 2})
    turned = change("aws_x.b", ["create"], None, {"c": 2, "b": 1})
    assert digest(plan(one, other)) == digest(plan(turned, one))


@pytest.mark.parametrize(
    "other",
    [
        plan(update({"size": 1}, {"size": 3})),
        plan(update({"size": 0}, {"size": 2})),
        plan(update({"size": 1, "b": 1}, {"size": 2, "b": 2})),
        plan(change("aws_x.b", ["update"], {"size": 1}, {"size": 2})),
        plan(change("aws_x.a", ["delete", "create"], {"size": 1}, {"size": 2})),
        plan(change("aws_x.a", ["create", "delete"], {"size": 1}, {"size": 2})),
        plan(update({"size": 1}, {"size": 2}, replace_paths=[["size"]])),
        plan(update({"size": 1}, {}, unknown={"size": True})),
        plan(update({"size": 1}, {"size": "2"})),
        plan(update({"size": 1}, {"size": 2}), change("aws_x.b", ["delete"], {"id": "1"}, None)),
        plan(update({"size": 1}, {"size": 2}, previous_address="aws_x.old")),
        plan(update({"size": 1}, {"size": 2}, deposed="0badcafe")),
        plan(update({"size": 1}, {"size": 2}, importing={"id": "i-1"})),
        plan(update({"size": 1}, {"size": 2}), output_changes={"o": {"actions": ["create"], "after": 1}}),
    ],
)
def test_any_other_plan_has_another_digest(other: bytes) -> None:
    assert digest(other) != digest(BASE)


@pytest.mark.parametrize(
    "changed",
    [
        {"mode": "destroy"},
        {"kind": "restore"},
        {"targets": ["aws_x.a"]},
        {"replace": ["aws_x.a"]},
        {"definition_number": 5},
        {"definition_digest": "e" * 64},
        {"blueprint_digest": "e" * 64},
        {"account_id": "444455556666"},
        {"region": "us-east-1"},
    ],
)
def test_every_part_of_the_context_counts(changed: dict[str, Any]) -> None:
    assert digest(BASE, replace(CONTEXT, **changed)) != digest(BASE)


def test_targets_are_a_set() -> None:
    assert digest(BASE, replace(CONTEXT, targets=["b", "a"])) == digest(
        BASE, replace(CONTEXT, targets=["a", "b"])
    )


def test_a_destroy_is_known_by_what_it_destroys_not_by_its_moving_values() -> None:
    def destroy(**attributes: Any) -> bytes:
        return plan(change("aws_db_instance.a", ["delete"], attributes, None))

    assert digest(destroy(id="1", latest_restorable_time="10:00")) == digest(
        destroy(id="1", latest_restorable_time="10:05")
    )
    assert digest(destroy(id="1")) != digest(destroy(id="2"))


def test_a_replacement_s_computed_values_may_move_on() -> None:
    def replacement(time: str) -> bytes:
        return plan(
            change(
                "aws_db_instance.a",
                ["delete", "create"],
                {"engine": "a", "latest_restorable_time": time},
                {"engine": "b"},
                unknown={"latest_restorable_time": True},
            )
        )

    assert digest(replacement("10:00")) == digest(replacement("10:05"))


def secret_plan(before: str, after: str, *, marked: bool = True) -> bytes:
    return plan(
        update({"p": before}, {"p": after}, before_sensitive={"p": marked}, after_sensitive={"p": marked})
    )


def test_secrets_count_but_are_not_in_the_content() -> None:
    assert digest(secret_plan(SECRET, SECRET + "x")) != digest(secret_plan(SECRET, SECRET + "y"))
    assert digest(secret_plan(SECRET, SECRET + "x")) == digest(secret_plan(SECRET, SECRET + "x"))
    content = json.dumps(proposal_content(read_plan(secret_plan(SECRET, SECRET + "x")), CONTEXT, hmac=seal))
    assert SECRET not in content
    assert hashlib.sha256(SECRET.encode()).hexdigest() not in content, (
        "a bare hash of a short secret can be guessed"
    )


def test_a_change_of_sensitivity_is_another_proposal() -> None:
    assert digest(secret_plan("a-b-c", "d-e-f")) != digest(secret_plan("a-b-c", "d-e-f", marked=False))


def test_no_value_can_pass_for_a_mark() -> None:
    unknown = plan(update({"a": 1}, {}, unknown={"a": True}))
    fakes: list[Any] = ["(known after apply)", {"unknown": True}, {"sensitive": seal(b'"x"')}, None]
    digests = {digest(unknown)} | {digest(plan(update({"a": 1}, {"a": fake}))) for fake in fakes}
    assert len(digests) == 1 + len(fakes)


CODE = (
    HTTP_BACKEND
    + """
variable "size" { default = 1 }
variable "password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "a" {
  input            = { size = var.size, password = var.password }
  triggers_replace = [var.size]
}
resource "terraform_data" "b" {
  count = 3
  input = terraform_data.a.id
}
output "password" {
  value     = var.password
  sensitive = true
}
output "size" { value = var.size }
"""
)


@pytest.mark.terraform
def test_two_real_plans_of_the_same_have_the_same_digest(workspace: Workspace) -> None:
    workspace.write(CODE)
    workspace.env["TF_VAR_password"] = SECRET
    workspace.init()

    def planned(**options: Any) -> str:
        assert workspace.plan(**options) == 2
        document = workspace.show()
        shown = read_plan(document)
        assert SECRET not in repr(shown)
        assert SECRET in shown.secrets
        return digest(document)

    first = planned()
    assert planned() == first
    workspace.apply()
    assert workspace.plan() == 0
    assert read_plan(workspace.show()).is_empty
    workspace.env["TF_VAR_size"] = "2"
    larger = planned()
    assert planned() == larger
    assert larger != first
    workspace.env["TF_VAR_password"] = SECRET + "2"
    assert planned() != larger
    assert planned(destroy=True) == planned(destroy=True)
    assert planned(targets=["terraform_data.a"]) != planned()
