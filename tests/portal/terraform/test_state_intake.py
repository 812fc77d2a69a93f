"""States from anywhere: taken only if Terraform will read them back as they were shown."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portal.terraform.errors import StateUnreadable
from portal.terraform.state import read_state
from portal.terraform.state_intake import accept_state, meaning, renumbered
from tests.portal.terraform.conftest import Workspace
from tests.portal.terraform.documents import instance, resource, state
from tests.portal.terraform.test_plan import JSON

GOOD = state(
    resource("aws_a", "one", instance({"id": "1", "n": 1.5, "tags": {"a": "b"}}), module='module.m["k"]'),
    resource("aws_a", "many", instance({"id": "2"}, index_key=0), instance({"id": "3"}, index_key="x")),
    outputs={"url": {"value": "http://x", "type": "string"}},
)
PLACES = ("version", "serial", "lineage", "terraform_version", "resources", "outputs", "check_results")


def test_a_good_one_is_taken() -> None:
    assert accept_state(GOOD, terraform="1.11.4").resource_count == 3


@pytest.mark.parametrize(
    ("version", "ours", "fits"),
    (
        ("1.11.4", "1.11.4", True),
        ("1.9.8", "1.11.4", True),
        ("1.11.4-beta1", "1.11.4", True),
        ("1.11.4", "", True),
        ("1.11.5", "1.11.4", False),
        ("1.12.0", "1.11.4", False),
        ("2.0.0", "1.11.4", False),
        ("1.100.0", "1.11.4", False),
        ("", "1.11.4", False),
        ("1.11", "1.11.4", False),
        ("١.٢.٣", "1.11.4", False),
    ),
)
def test_written_by_a_terraform_this_portal_can_follow(version: str, ours: str, fits: bool) -> None:
    body = state(terraform_version=version)
    if fits:
        accept_state(body, terraform=ours)
        return
    with pytest.raises(StateUnreadable):
        accept_state(body, terraform=ours)


@pytest.mark.parametrize(
    "wrong",
    (
        {"Resources": []},
        {"ſerial": 9},
        {"resources": [{**resource("aws_a", "a"), "Instances": [instance({})]}]},
        {"resources": [resource("aws_a", "a", {**instance({}), "Attributes": {"id": "2"}})]},
    ),
)
def test_names_that_terraform_would_take_for_others(wrong: dict[str, Any]) -> None:
    """Go reads JSON names without regard to case: what we showed would not be what Terraform takes."""
    with pytest.raises(StateUnreadable, match="does not write"):
        read_state(state(**wrong))


def test_an_address_may_occur_once_but_what_a_replacement_left_behind_beside_it() -> None:
    left = resource("aws_a", "a", instance({}), instance({}, deposed="0badcafe"))
    accept_state(state(left))
    with pytest.raises(StateUnreadable, match=r"aws_a\.a more than once"):
        accept_state(state(left, resource("aws_a", "a", instance({}))))


def test_renumbering_alters_two_values_and_nothing_else() -> None:
    before = json.loads(GOOD)
    after = json.loads(renumbered(GOOD, lineage="new", serial=99))
    assert (after.pop("lineage"), after.pop("serial")) == ("new", 99)
    before.pop("lineage"), before.pop("serial")
    assert after == before


@settings(max_examples=60, deadline=None)
@given(
    value=JSON, digits=st.from_regex(r"-?(0|[1-9][0-9]{0,25})\.[0-9]{1,30}(e-?[0-9]{1,2})?", fullmatch=True)
)
@example(value="0123:4.5", digits="0.10")
def test_renumbering_keeps_what_is_written(value: Any, digits: str) -> None:
    body = state(outputs={"v": {"value": value, "type": "string"}, "n": {"value": "HERE", "type": "number"}})
    body = body.replace(b'"HERE"', digits.encode(), 1) if b'"HERE"' in body else body
    done = renumbered(body, lineage="new", serial=7)
    assert digits.encode() in done
    assert json.loads(done)["outputs"] == json.loads(body)["outputs"]
    assert meaning(done) == meaning(body)


@settings(max_examples=150, deadline=None)
@given(cut=st.integers(0, len(GOOD)), junk=st.binary(max_size=6), until=st.integers(0, 40))
def test_a_damaged_one_is_refused_or_still_a_state(cut: int, junk: bytes, until: int) -> None:
    body = GOOD[:cut] + junk + GOOD[cut + until :]
    try:
        found = accept_state(body, terraform="1.11.4")
    except StateUnreadable as refused:
        assert "\n" not in str(refused)
        return
    json.loads(body.decode())
    assert found.lineage


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_a_wrong_value_anywhere_is_refused_or_read(place: str, value: Any) -> None:
    body = json.dumps({**json.loads(GOOD), place: value}).encode()
    try:
        found = accept_state(body, terraform="1.11.4")
    except StateUnreadable as refused:
        assert "\n" not in str(refused)
        return
    read_state(renumbered(body, lineage="l", serial=found.serial))


@settings(max_examples=100, deadline=None)
@given(
    where=st.sampled_from(("mode", "type", "name", "provider", "module", "instances")),
    value=JSON,
    inner=st.sampled_from(("attributes", "index_key", "deposed", "status", "sensitive_attributes")),
    other=JSON,
)
def test_a_wrong_value_in_a_resource_is_refused_or_read(
    where: str, value: Any, inner: str, other: Any
) -> None:
    one = resource("aws_a", "one", {**instance({"id": "1"}), inner: other})
    body = state({**one, where: value})
    try:
        accept_state(body, terraform="1.11.4")
    except StateUnreadable as refused:
        assert "\n" not in str(refused)


@pytest.mark.terraform
def test_what_is_refused_for_terraforms_sake_terraform_refuses_too(workspace: Workspace) -> None:
    """Each rule stands for something the real binary trips over; what is taken it lists."""
    workspace.write('terraform {\n  backend "local" {}\n}\n')
    workspace.init()

    def listed(body: bytes) -> str | None:
        (workspace.folder / "terraform.tfstate").write_bytes(body)
        done = subprocess.run(
            [str(workspace.installation.binary), "state", "list"],
            cwd=workspace.folder,
            env=workspace.env,
            capture_output=True,
            text=True,
        )
        return done.stdout if done.returncode == 0 else None

    good = resource("terraform_data", "a", instance({"id": "1"}), provider=BUILTIN)
    assert listed(state(good)) == "terraform_data.a\n"
    for wrong in (
        state(terraform_version="newest"),
        state({**good, "provider": "aws"}),
        state({**good, "mode": "other"}),
        state(good, good),
        state({**good, "instances": [instance({}, index_key=True)]}),
        state()[:-1],
    ):
        assert not listed(wrong)
        with pytest.raises(StateUnreadable):
            accept_state(wrong)
    # Not what we would have shown to anybody who votes on it.
    hidden = state(Resources=[good])
    assert listed(hidden) == "terraform_data.a\n"
    with pytest.raises(StateUnreadable):
        accept_state(hidden)


BUILTIN = 'provider["terraform.io/builtin/terraform"]'
