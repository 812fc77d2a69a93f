"""What is posted becomes the value that was meant, whatever the type, and can be shown again unchanged."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from environments.blueprints.conversion import Faults, convert
from environments.blueprints.posted import BLANK, Posted, shown
from environments.blueprints.types import parse_type, type_json
from portal.core.templatetags.editors import Editor, build_editor

RULES = "list(object({port = number, cidrs = optional(list(string)), on = optional(bool)}))"


def read(source: str, data: dict[str, str]) -> tuple[Any, Any, Posted]:
    posted = Posted({f"var-x{key}": value for key, value in data.items()})
    value, typed = posted.read("var-x", parse_type(source), "x")
    return value, typed, posted


@pytest.mark.parametrize(
    ("source", "data", "expected"),
    [
        ("string", {"": "a\r\nb"}, "a\nb"),
        ("string", {"": " "}, " "),
        ("number", {"": " 5 "}, "5"),
        ("bool", {"": "false"}, "false"),
        ("list(string)", {"-0": "a", "-1": "", "-7": "b", "-10": "c"}, ["a", "b", "c"]),
        ("set(number)", {"-0": "1"}, ["1"]),
        ("map(string)", {"-key-0": "k", "-value-0": "v", "-key-1": "e", "-value-1": ""}, {"k": "v", "e": ""}),
        ("object({a = string, b = optional(number)})", {".a": "x", ".b": ""}, {"a": "x"}),
        (RULES, {"-0.port": "80", "-0.cidrs-0": "c", "-1.port": ""}, [{"port": "80", "cidrs": ["c"]}]),
        ("tuple([string, number])", {"-0": "a", "-1": "2"}, ["a", "2"]),
        ("map(list(string))", {"-key-0": "k", "-value-0-0": "a", "-value-0-1": "b"}, {"k": ["a", "b"]}),
        ("any", {"": '{"a": [1.50]}'}, {"a": [Decimal("1.5")]}),
        ("list(list(string))", {"-0-0": "a", "-1-0": "", "-2-0": "b"}, [["a"], ["b"]]),
    ],
)  # fmt: skip
def test_reading(source: str, data: dict[str, str], expected: object) -> None:
    value, _typed, posted = read(source, data)
    assert value == expected
    assert posted.errors == {}


@pytest.mark.parametrize(
    "source",
    [
        "string",
        "number",
        "bool",
        "list(string)",
        "map(string)",
        RULES,
        "any",
        "object({a = optional(string)})",
    ],
)
def test_nothing_entered_is_nothing(source: str) -> None:
    assert read(source, {})[0] is BLANK


def test_faults_are_named_as_they_are_drawn_again() -> None:
    value, typed, posted = read("list(number)", {"-0": "1", "-3": "", "-5": "x"})
    assert (value, typed) == (["1", "x"], ["1", "x"])
    faults = Faults()
    convert(value, parse_type("list(number)"), faults, path="x")
    assert [posted.names[path] for path in faults.found] == ["var-x-1"]


def test_maps_tell_what_is_wrong_with_their_keys() -> None:
    _value, typed, posted = read(
        "map(string)",
        {"-key-0": "a", "-value-0": "1", "-key-4": "a", "-value-4": "2", "-key-5": "", "-value-5": "lost?"},
    )
    assert typed == [("a", "1"), ("a", "2"), ("", "lost?")]
    assert set(posted.errors) == {"var-x-key-1", "var-x-key-2"}


def test_a_number_cannot_be_blank_in_a_map() -> None:
    assert set(read("map(number)", {"-key-0": "a", "-value-0": ""})[2].errors) == {"var-x-value-0"}


def test_json_that_is_none_stays_to_be_mended() -> None:
    value, typed, posted = read("any", {"": "{broken"})
    assert (value, typed) == (BLANK, "{broken")
    assert set(posted.errors) == {"var-x"}


def fields_of(editor: Editor) -> dict[str, str]:
    """What a browser would post for the controls as drawn, spare rows included."""
    if editor.rows or editor.kind in {"list", "map", "object", "tuple"}:
        out: dict[str, str] = {}
        for row in editor.rows:
            out |= fields_of(row.editor)
            if row.key is not None:
                out |= fields_of(row.key)
        return out
    # A select without a blank choice posts its first.
    value = editor.value
    if editor.kind == "bool" and value not in {v for v, _word in editor.choices}:
        value = editor.choices[0][0]
    return {editor.name: value}


WORDS = st.text("ab", min_size=1)
PLAIN = st.integers() | st.text() | st.booleans()
CASES: list[tuple[str, st.SearchStrategy[Any]]] = [
    ("string", st.text("ab\n ", min_size=1)),
    ("number", st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=6)),
    ("bool", st.booleans()),
    ("list(string)", st.lists(st.text("ab", min_size=1), min_size=1)),
    ("map(bool)", st.dictionaries(st.text("ab", min_size=1), st.booleans(), min_size=1)),
    (
        "object({a = optional(string), b = number, c = optional(list(number)), d = optional(bool)})",
        st.fixed_dictionaries(
            {"b": st.integers()},
            optional={
                "a": st.text("ab", min_size=1),
                "c": st.lists(st.integers(), min_size=1),
                "d": st.booleans(),
            },
        ),
    ),
    ("list(map(string))", st.lists(st.dictionaries(WORDS, st.text("xy"), min_size=1), min_size=1)),
    ("tuple([string, list(number)])", st.tuples(WORDS, st.lists(st.integers())).map(list)),
    ("any", st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))),
]  # fmt: skip


@given(st.data(), st.sampled_from(CASES))
def test_drawn_and_posted_again_a_value_is_the_same(data: st.DataObject, case: tuple[str, Any]) -> None:
    source, strategy = case
    wanted = parse_type(source)
    value = convert(data.draw(strategy), wanted, Faults())
    editor = build_editor("var-x", type_json(wanted), shown(value, wanted))
    posted = Posted(fields_of(editor))
    read_back, _typed = posted.read("var-x", wanted, "x")
    assert posted.errors == {}
    faults = Faults()
    assert convert(read_back, wanted, faults) == value
    assert not faults
