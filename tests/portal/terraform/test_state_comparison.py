"""Two states side by side: what is gone, new, changed or moved, and nothing secret among it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.terraform.documents import MASK
from portal.terraform.state import State, read_state
from portal.terraform.state_comparison import compare
from tests.portal.terraform.documents import instance, resource, state

SECRET = "tr0ub4dor and a horse"


def read(*resources: dict[str, Any], **more: Any) -> State:
    return read_state(state(*resources, **more))


def told(old: State, new: State) -> list[tuple[str, str, str]]:
    return [(row.kind, row.address, row.moved_from) for row in compare(old, new).rows]


def test_the_same_object_under_another_address_has_moved() -> None:
    old = read(resource("aws_a", "one", instance({"id": "i-1", "size": 1}), module="module.m"))
    new = read(resource("aws_a", "two", instance({"id": "i-1", "size": 2})))
    assert told(old, new) == [("moved", "aws_a.two", "module.m.aws_a.one")]
    assert [(one.path, one.after) for one in compare(old, new).rows[0].attributes] == [("size", 2)]


@pytest.mark.parametrize(
    ("before", "after"),
    (
        # Another object, another type, another provider, no id to tell it by.
        (
            resource("aws_a", "one", instance({"id": "i-1"})),
            resource("aws_a", "two", instance({"id": "i-2"})),
        ),
        (
            resource("aws_a", "one", instance({"id": "i-1"})),
            resource("aws_b", "two", instance({"id": "i-1"})),
        ),
        (
            resource("aws_a", "one", instance({"id": "i-1"})),
            resource("aws_a", "two", instance({"id": "i-1"}), provider='provider["else/where/x"]'),
        ),
        (resource("aws_a", "one", instance({})), resource("aws_a", "two", instance({}))),
        (
            resource("aws_a", "one", instance({"id": "x", "region": "eu-west-1"})),
            resource("aws_a", "two", instance({"id": "x", "region": "us-east-1"})),
        ),
    ),
)
def test_what_cannot_be_the_same_is_gone_and_new(before: Any, after: Any) -> None:
    kinds = sorted(kind for kind, _address, _from in told(read(before), read(after)))
    assert kinds == ["added", "removed"]


def test_an_id_that_occurs_twice_moves_nothing() -> None:
    old = read(
        resource("aws_a", "one", instance({"id": "x"})), resource("aws_a", "two", instance({"id": "x"}))
    )
    new = read(resource("aws_a", "three", instance({"id": "x"})))
    assert sorted(kind for kind, *_rest in told(old, new)) == ["added", "removed", "removed"]


def test_instances_are_told_apart_by_their_keys() -> None:
    keyed = [instance({"id": str(key), "v": 1}, index_key=key) for key in (0, 1, "a", 'b "c"')]
    old = read(resource("aws_a", "many", *keyed))
    new = read(resource("aws_a", "many", *keyed[:2], instance({"id": "a", "v": 2}, index_key="a")))
    assert told(old, new) == [
        ("changed", 'aws_a.many["a"]', ""),
        ("removed", 'aws_a.many["b \\"c\\""]', ""),
    ]


def test_what_a_replacement_left_behind_and_what_is_damaged() -> None:
    old = read(resource("aws_a", "a", instance({"id": "1"})))
    new = read(
        resource(
            "aws_a", "a", instance({"id": "1"}, status="tainted"), instance({"id": "0"}, deposed="0badcafe")
        )
    )
    rows = compare(old, new).rows
    assert [(row.kind, row.deposed, row.tainted_now) for row in rows] == [
        ("changed", "", True),
        ("added", "0badcafe", False),
    ]
    assert [row.tainted_now for row in compare(new, old).rows] == [False, False]


def test_lineages_and_outputs() -> None:
    old = read(outputs={"url": {"value": "a", "type": "string"}, "same": {"value": 1, "type": "number"}})
    new = read(
        outputs={
            "url": {"value": "b", "type": "string"},
            "same": {"value": 1, "type": "number"},
            "made": {"value": [1], "type": ["list", "number"]},
        },
        lineage="other",
    )
    found = compare(old, new)
    assert not found.same_lineage
    assert [(one.path, one.kind, one.before, one.after) for one in found.outputs] == [
        ("made", "added", None, [1]),
        ("url", "changed", "a", "b"),
    ]


def test_nothing_secret_is_told_of_an_output_or_attribute() -> None:
    def one(value: str, *, marked: bool) -> State:
        marks = [[{"type": "get_attr", "value": "login"}]] if marked else []
        return read(
            resource(
                "aws_a", "a", instance({"id": "1", "login": value, "copy": value}, sensitive_attributes=marks)
            ),
            outputs={"login": {"value": value, "type": "string", "sensitive": marked}},
        )

    # Marked on one side only: the other side must not give it away.
    for old, new in (
        (one(SECRET, marked=True), one(SECRET + "2", marked=True)),
        (one(SECRET, marked=False), one(SECRET, marked=True)),
        (one(SECRET, marked=True), one(SECRET, marked=False)),
        (one(SECRET, marked=True), one("harmless", marked=False)),
    ):
        found = compare(old, new)
        assert SECRET not in repr(found)
        assert MASK in json.dumps([one.before for one in found.outputs])


@pytest.mark.parametrize(
    ("before", "after"), (("abc", "abd"), (4711, 4712), ([471], {"a": 472}), (True, False))
)
def test_a_sensitive_output_too_short_to_be_found_elsewhere_is_hidden_by_its_mark(
    before: Any, after: Any
) -> None:
    def one(value: Any, *, marked: bool = True) -> State:
        return read(outputs={"pin": {"value": value, "type": "dynamic", "sensitive": marked}})

    for old, new in (
        (one(before), one(after)),
        (one(before), one(after, marked=False)),
        (one(before, marked=False), one(after)),
        (one(before), read()),
        (read(), one(after)),
    ):
        shown = {
            json.dumps(value) for found in compare(old, new).outputs for value in (found.before, found.after)
        }
        assert shown <= {json.dumps(MASK), "null"}


def test_five_thousand_resources_are_compared() -> None:
    def many(value: str) -> State:
        return read(*(resource("aws_a", f"n{n}", instance({"id": str(n), "v": value})) for n in range(5000)))

    found = compare(many("a"), many("b"))
    assert found.counts() == {"changed": 5000}
