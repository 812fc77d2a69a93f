"""Values become what their type asks for, as Terraform would make them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.blueprints.conversion import Faults, convert
from environments.blueprints.exact import parse_number, read_json, storable, write_json
from environments.blueprints.types import BadType, parse_type


def made(value: object, source: str, *, strict: bool = True) -> object:
    faults = Faults()
    out = convert(value, parse_type(source), faults, path="v", strict=strict)
    return faults.found if faults else out


@pytest.mark.parametrize(
    "source",
    [
        "string",
        "list(map(set(number)))",
        "tuple([string, bool])",
        "object({a = string, b = optional(list(number), [1, 2.5]), c = optional(any), e = bool})",
        "object({})",
        "map(any)",
    ],
)
def test_a_type_reads_back_from_its_own_text(source: str) -> None:
    assert parse_type(str(parse_type(source))) == parse_type(source)


def test_an_object_type_over_several_lines() -> None:
    wanted = parse_type("object({\n  a = string # why\n  # alone\n  b = optional(number, -1.5)\n})")
    assert made({"a": 1}, str(wanted)) == {"a": "1", "b": Decimal("-1.5")}


@pytest.mark.parametrize(
    "source",
    [
        "text",
        "list(string, number)",
        "object([string])",
        "optional(string)",
        "1 + 1",
        "list(",
        "object({a = optional(number, var.x)})",
        '"string"',
        'object({"a" = string})',
    ],
)
def test_no_type(source: str) -> None:
    with pytest.raises(BadType):
        parse_type(source)


@pytest.mark.parametrize(
    ("value", "source", "expected"),
    [
        (5, "string", "5"),
        (1.50, "string", "1.5"),
        (True, "string", "true"),
        ("12", "number", 12),
        ("0.1000", "number", Decimal("0.1")),
        ("12345678901234567890.123456789", "number", Decimal("12345678901234567890.123456789")),
        ("1e3", "number", 1000),
        ("true", "bool", True),
        ("0", "bool", False),
        ([1, "b"], "list(string)", ["1", "b"]),
        (["b", "a", "b"], "set(string)", ["a", "b"]),
        ([10, "9", 10.0], "set(number)", [9, 10]),
        ({"a": 1}, "map(string)", {"a": "1"}),
        (["a", "2"], "tuple([string, number])", ["a", 2]),
        (None, "string", None),
        ([None], "list(string)", [None]),
        (
            {"a": 1},
            "object({a = number, b = optional(string), c = optional(number, 3)})",
            {"a": 1, "b": None, "c": 3},
        ),
        ({"a": None}, "object({a = optional(number, 3)})", {"a": 3}),
        ({}, "object({p = optional(object({q = optional(number, 7)}), {})})", {"p": {"q": 7}}),
        ("e\u0301", "string", "é"),
    ],
)
def test_conversion(value: object, source: str, expected: object) -> None:
    out = made(value, source)
    assert out == expected
    assert type(out) is type(expected)


@pytest.mark.parametrize(
    ("value", "source", "path"),
    [
        ("1,000", "number", "v"),
        ("", "number", "v"),
        (True, "number", "v"),
        (1, "bool", "v"),
        ("True", "bool", "v"),
        (["a"], "string", "v"),
        ("a", "list(string)", "v"),
        ({"a": 1}, "list(string)", "v"),
        ([1, "x", 3], "list(number)", "v[1]"),
        ({"cost centre": []}, "map(string)", 'v["cost centre"]'),
        ({"max": "many"}, "object({max = number})", "v.max"),
        ({}, "object({max = number})", "v.max"),
        ({"mxa": 1}, "object({max = optional(number)})", "v.mxa"),
        ([{"p": {"q": ["x"]}}], "list(object({p = object({q = list(bool)})}))", "v[0].p.q[0]"),
        (["a"], "tuple([string, number])", "v"),
        ("1e999999", "number", "v"),
        ("Infinity", "number", "v"),
        ("१", "number", "v"),
    ],
)
def test_faults_name_the_place(value: object, source: str, path: str) -> None:
    found = made(value, source)
    assert isinstance(found, dict)
    assert list(found) == [path]
    assert all(len(message) > 8 for message in found[path])


def test_a_blueprints_own_default_may_hold_more() -> None:
    assert made({"a": 1, "old": 2}, "object({a = number})", strict=False) == {"a": 1}


numbers = st.integers(-(10**40), 10**40) | st.decimals(allow_nan=False, allow_infinity=False, places=12)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(values)
def test_json_keeps_every_number_exactly(value: object) -> None:
    assert read_json(write_json(value)) == value


@given(numbers)
def test_a_stored_number_comes_back_exactly(number: Decimal) -> None:
    assert convert(storable(number), parse_type("number"), Faults()) == number


@given(st.text(max_size=12))
def test_reading_a_number_never_breaks(text: str) -> None:
    try:
        assert isinstance(parse_number(text), int | Decimal)
    except ValueError:
        pass
