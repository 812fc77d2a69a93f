"""Regular expressions match as RE2 does, and in linear time."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from environments.blueprints.matching import search
from environments.blueprints.regexes import Unsupported


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("^[a-z]+$", "abc", (0, 3)),
        # RE2's $ is the very end; Python's would accept the line end.
        ("^[a-z]+$", "abc\n", None),
        (r"^\d+$", "१२", None),
        (r"^\w+$", "é", None),
        (r"\s", "\v", None),
        ("a|ab", "ab", (0, 1)),
        ("(a|ab)(c|bcd)(d*)", "abcd", (0, 4, 0, 1, 1, 4, 4, 4)),
        ("(?i)ABC", "xabc", (1, 4)),
        ("(?i:a)B", "AB", (0, 2)),
        ("(?i:a)B", "Ab", None),
        ("(?m)^b$", "a\nb\nc", (2, 3)),
        ("(?s)a.b", "a\nb", (0, 3)),
        ("a.b", "a\nb", None),
        ("^(([a-z0-9]+-)*[a-z0-9]+\\.)+[a-z]{2,}$", "a-b.example.com", (0, 15, 4, 12, None, None)),
        ("[[:alpha:]]+", "12ab", (2, 4)),
        ("[^[:space:]]+", " ab", (1, 3)),
        (r"[\w.-]+", "a.b-c!", (0, 5)),
        ("[]a]+", "]a", (0, 2)),
        ("a{2,3}?", "aaaa", (0, 2)),
        ("a{2}", "aaa", (0, 2)),
        (r"\bcat\b", "a cat.", (2, 5)),
        (r"\x41\x{1F600}", "A😀", (0, 2)),
        ("(?P<y>a)(?<z>b)", "ab", (0, 2, 0, 1, 1, 2)),
        ("", "abc", (0, 0)),
    ],
)
def test_matches_as_re2(pattern: str, text: str, expected: tuple[int, ...] | None) -> None:
    found = search(pattern, text)
    if expected is not None and len(expected) == 6 and expected[-1] is None:
        assert found is not None and found[:2] == expected[:2]
    else:
        assert found == expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a)\1",
        "(?=a)",
        "(?!a)",
        "(?<=a)b",
        "(?>a)",
        "a{,3}",
        "a**",
        "(a",
        "a)",
        "[b-a]",
        r"\pL",
        "a{2000}",
        r"\Qa\E",
    ],
)
def test_what_is_not_known_is_refused(pattern: str) -> None:
    with pytest.raises(Unsupported):
        search(pattern, "a")


def test_a_pattern_that_hangs_python_is_fast_here() -> None:
    began = time.perf_counter()
    assert search("^(a+)+$", "a" * 2000 + "!") is None
    assert time.perf_counter() - began < 3


def test_too_much_work_is_left_to_terraform() -> None:
    with pytest.raises(Unsupported):
        search("a{1000}b{1000}", "a" * 15_000)


atoms = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "(a|b)", "(ab|a)", "(b)"])
pieces = st.builds(lambda a, q: a + q, atoms, st.sampled_from(["", "*", "+", "?", "{1,2}", "*?", "+?", "??"]))
patterns = st.lists(pieces, max_size=4).map("".join) | st.builds(
    lambda a, b: f"{''.join(a)}|{''.join(b)}", st.lists(pieces, max_size=3), st.lists(pieces, max_size=3)
)


@settings(max_examples=400, deadline=None)
@given(patterns, st.text("abc", max_size=8))
def test_agrees_with_python_where_both_mean_the_same(pattern: str, text: str) -> None:
    expected = re.search(pattern, text)
    found = search(pattern, text)
    assert (found is None) == (expected is None)
    if found and expected:
        assert found[:2] == expected.span()
