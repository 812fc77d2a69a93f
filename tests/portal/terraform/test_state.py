"""What is read out of a state, and how two states differ."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.terraform.documents import MASK
from portal.terraform.errors import StateUnreadable
from portal.terraform.state import read_state
from portal.terraform.state_comparison import state_differences
from tests.portal.terraform.backend import StateServer
from tests.portal.terraform.conftest import Workspace
from tests.portal.terraform.documents import instance, resource, state
from tests.portal.terraform.test_digests import CODE, SECRET
from tests.portal.terraform.test_plan import JSON

ARN = "arn:aws:s3:ap-northeast-2:111122223333:thing/a"


def path(*steps: str | int) -> list[dict[str, Any]]:
    return [
        {"type": "get_attr", "value": step}
        if isinstance(step, str)
        else {"type": "index", "value": {"value": step, "type": "number"}}
        for step in steps
    ]


def test_addresses_are_spelt_as_in_plans() -> None:
    document = state(
        resource("aws_a", "one", instance({"id": "1"})),
        resource("aws_a", "many", instance({"id": "2"}, index_key=0), instance({"id": "3"}, index_key=1)),
        resource("aws_a", "keyed", instance({"id": "4"}, index_key='a "b" ${c}'), module='module.m["x"]'),
        resource("aws_a", "read", instance({"id": "5"}), mode="data", module="module.m"),
    )
    found = read_state(document)
    assert [one.address for one in found.resources] == [
        "aws_a.one",
        "aws_a.many[0]",
        "aws_a.many[1]",
        'module.m["x"].aws_a.keyed["a \\"b\\" $${c}"]',
        "module.m.data.aws_a.read",
    ]
    assert found.resource_count == 4
    assert found.resources[0].provider == "registry.terraform.io/hashicorp/aws"
    assert (found.serial, found.lineage, found.terraform_version) == (
        3,
        "5e1b8a9e-0000-0000-0000-000000000000",
        "1.11.4",
    )


def test_id_arn_and_region() -> None:
    regional, own, bare = read_state(
        state(
            resource("aws_a", "a", instance({"id": "i", "arn": ARN})),
            resource("aws_a", "b", instance({"id": "i", "arn": ARN, "region": "us-east-1"})),
            resource("aws_a", "c", instance({"id": None, "arn": 7})),
        )
    ).resources
    assert (regional.id, regional.arn, regional.region) == ("i", ARN, "ap-northeast-2")
    assert own.region == "us-east-1"
    assert (bare.id, bare.arn, bare.region) == ("", "", "")


def test_sensitive_attributes_and_copies_of_them_are_masked() -> None:
    attributes = {
        "id": "1",
        "password": SECRET,
        "users": [{"name": "a", "key": SECRET + "2"}],
        "url": f"x://u:{SECRET}@h",
    }
    marked = instance(attributes, sensitive_attributes=[path("password"), path("users", 0, "key")])
    document = state(
        resource("aws_a", "a", marked),
        outputs={
            "o": {"value": SECRET + "3", "type": "string", "sensitive": True},
            "p": {"value": 1, "type": "number"},
        },
    )
    found = read_state(document)
    assert SECRET not in repr(found)
    assert found.resources[0].attributes == {
        "id": "1",
        "password": MASK,
        "users": [{"name": "a", "key": MASK}],
        "url": MASK,
    }
    assert [(one.name, one.sensitive) for one in found.outputs] == [("o", True), ("p", False)]
    assert found.outputs[0].value == SECRET + "3"
    assert {SECRET, SECRET + "2", SECRET + "3"} <= found.secrets


def test_a_mark_that_cannot_be_read_hides_everything() -> None:
    for mark in ([{"type": "get_attr"}], [{"type": "index", "value": {"value": [1]}}], [3]):
        found = read_state(
            state(resource("aws_a", "a", instance({"id": "1", "x": "y"}, sensitive_attributes=[mark])))
        )
        assert "y" not in json.dumps(found.resources[0].attributes)


def test_differences_between_two_states() -> None:
    old = read_state(
        state(
            resource("aws_a", "kept", instance({"size": 1, "p": SECRET}, sensitive_attributes=[path("p")])),
            resource("aws_a", "same", instance({"size": 1})),
            resource("aws_a", "gone", instance({})),
            resource("aws_a", "data", instance({"n": 1}), mode="data"),
        )
    )
    new = read_state(
        state(
            resource(
                "aws_a", "kept", instance({"size": 2, "p": SECRET + "2"}, sensitive_attributes=[path("p")])
            ),
            resource("aws_a", "same", instance({"size": 1})),
            resource("aws_a", "fresh", instance({})),
            resource("aws_a", "data", instance({"n": 2}), mode="data"),
        )
    )
    differences = state_differences(old, new)
    assert [(one.address, one.kind) for one in differences] == [
        ("aws_a.fresh", "added"),
        ("aws_a.gone", "removed"),
        ("aws_a.kept", "changed"),
    ]
    assert [(one.path, one.before, one.after) for one in differences[2].attributes] == [
        ("p", MASK, MASK),
        ("size", 1, 2),
    ]
    assert SECRET not in repr(differences)
    assert state_differences(new, new) == ()


def test_tainted_and_deposed() -> None:
    found = read_state(
        state(resource("aws_a", "a", instance({}, status="tainted"), instance({}, deposed="0badcafe")))
    ).resources
    assert [(one.tainted, one.deposed) for one in found] == [(True, ""), (False, "0badcafe")]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b'{"version": 3}',
        b'{"version": "4"}',
        b'{"version": 4, "serial": "x"}',
        b'{"version": 4, "serial": -1}',
        b'{"version": 4, "resources": {"a": 1}}',
        b'{"version": 4, "resources": [{"instances": [{}]}]}',
        b'{"version": 4, "resources": [1]}',
        b'{"version": 4, "outputs": [1]}',
        state(resource("aws_a", "a", {"attributes": [1]})),
    ],
)
def test_what_is_no_state_is_refused_in_one_sentence(document: bytes) -> None:
    with pytest.raises(StateUnreadable) as caught:
        read_state(document)
    assert "\n" not in str(caught.value)


@given(
    attributes=JSON,
    marks=JSON,
    index=JSON,
    outputs=JSON,
    more=st.dictionaries(st.text(max_size=5), JSON, max_size=3),
)
def test_any_state_is_read_or_refused(
    attributes: Any, marks: Any, index: Any, outputs: Any, more: Any
) -> None:
    one = instance(attributes, index_key=index)
    one["sensitive_attributes"] = marks
    document = (
        state(resource("aws_a", "a", one), outputs=outputs)
        if not more
        else json.dumps({"version": 4, **more}).encode()
    )
    try:
        found = read_state(document)
    except StateUnreadable:
        return
    assert state_differences(found, found) == ()


@pytest.mark.terraform
def test_a_real_state(workspace: Workspace, state_server: StateServer) -> None:
    workspace.write(CODE)
    workspace.env["TF_VAR_password"] = SECRET
    workspace.init()
    workspace.plan()
    workspace.apply()
    assert state_server.state is not None
    found = read_state(state_server.state)
    assert [one.address for one in found.managed] == [
        "terraform_data.a",
        "terraform_data.b[0]",
        "terraform_data.b[1]",
        "terraform_data.b[2]",
    ]
    assert SECRET not in repr(found)
    assert SECRET in found.secrets
