"""What the editors of values post and show: lists, maps, objects, and what was typed."""

import re

import pytest

from portal.core.templatetags.editors import SPARE_ROWS, build_editor
from tests.portal.core.test_templatetags import draw


def names(html: str) -> list[str]:
    return re.findall(r' name="([^"]+)"', html.split("<template", 1)[0])


def test_a_list_posts_its_rows_and_spare_ones() -> None:
    html = draw("{% value_editor 'var-x' type value %}", type=["list", "string"], value=["a", "b"])
    assert names(html) == [f"var-x-{n}" for n in range(2 + SPARE_ROWS)]
    assert html.count("data-spare") == SPARE_ROWS
    assert 'name="var-x-__0__"' in html


def test_maps_and_objects_post_keys_values_and_attributes() -> None:
    kind = ["map", ["object", {"size": "number", "zones": ["list", "string"]}, ["zones"]]]
    html = draw("{% value_editor 'var-x' kind value %}", kind=kind, value={"a": {"size": 3, "zones": ["z"]}})
    for name, value in (("var-x-key-0", "a"), ("var-x-value-0.size", "3"), ("var-x-value-0.zones-0", "z")):
        assert re.search(rf'name="{re.escape(name)}" value="{value}"', html), name
    # Markers of nested blank rows differ, so that filling one level leaves the inner one alone.
    assert 'name="var-x-value-__0__.zones-__1__"' in html


def test_what_was_typed_is_shown_again_beside_its_error() -> None:
    editor = build_editor("var-x", ["list", "number"], ["1", "two"], errors={"var-x-1": ["Not a number."]})
    assert [row.editor.value for row in editor.rows[:2]] == ["1", "two"]
    html = draw(
        "{% value_editor 'var-x' kind value errors=errors %}",
        kind=["list", "number"],
        value=["1", "two"],
        errors={"var-x-1": ["Not a number."]},
    )
    assert 'aria-describedby=" id_var-x-1_error" aria-invalid="true"' in html
    assert "Not a number." in html


def test_a_map_typed_with_the_same_key_twice_keeps_both() -> None:
    editor = build_editor("var-x", ["map", "string"], [("a", "1"), ("a", "2")])
    assert [(row.key and row.key.value, row.editor.value) for row in editor.rows[:2]] == [
        ("a", "1"),
        ("a", "2"),
    ]


def test_a_required_boolean_that_is_set_offers_no_third_answer() -> None:
    assert [value for value, _ in build_editor("b", "bool", True).choices] == ["true", "false"]
    assert [value for value, _ in build_editor("b", "bool", None).choices] == ["", "true", "false"]


@pytest.mark.parametrize("value", ['<script>alert("x")</script>', '"><img src=x>', "</textarea>\n<img>"])
def test_values_cannot_leave_their_control(value: str) -> None:
    html = draw("{% value_editor 'var-x' 'string' value %}", value=value)
    assert "<script" not in html
    assert "<img" not in html
