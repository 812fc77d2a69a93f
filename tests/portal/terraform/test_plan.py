"""What is read out of a plan."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.terraform.documents import MASK
from portal.terraform.errors import PlanUnreadable
from portal.terraform.plan import ResourceChange, read_plan
from tests.portal.terraform.documents import change, plan


def only(*changes: dict[str, Any], **more: Any) -> ResourceChange:
    (found,) = read_plan(plan(*changes, **more)).changes
    return found


def told(found: ResourceChange) -> dict[str, tuple[Any, Any]]:
    return {one.path: (one.before, one.after) for one in found.attributes}


@pytest.mark.parametrize(
    ("actions", "action", "order"),
    [
        (["create"], "create", ""),
        (["update"], "update", ""),
        (["delete"], "delete", ""),
        (["read"], "read", ""),
        (["forget"], "forget", ""),
        (["delete", "create"], "replace", "delete_first"),
        (["create", "delete"], "replace", "create_before_destroy"),
    ],
)
def test_actions_have_one_name_each(actions: list[str], action: str, order: str) -> None:
    found = only(change("aws_x.a", actions, {"id": "1"}, {"id": "2"}))
    assert (found.action, found.order) == (action, order)


def test_moves_and_imports_are_told_from_nothing() -> None:
    moved = only(change("aws_x.b", ["no-op"], {}, {}, previous_address="aws_x.a"))
    assert (moved.action, moved.previous_address) == ("move", "aws_x.a")
    imported = only(change("aws_x.b", ["no-op"], {}, {}, importing={"id": "i-1"}))
    assert (imported.action, imported.import_id) == ("import", "i-1")
    updated = only(change("aws_x.b", ["update"], {"a": 1}, {"a": 2}, importing={"id": "i-1"}))
    assert (updated.action, updated.import_id) == ("update", "i-1")
    nothing = read_plan(plan(change("aws_x.a", ["no-op"], {}, {})))
    assert nothing.changes == ()
    assert nothing.is_empty
    assert nothing.counts == {"no-op": 1}


def test_an_unknown_action_is_refused_not_guessed() -> None:
    with pytest.raises(PlanUnreadable, match="wants to explode"):
        read_plan(plan(change("aws_x.a", ["explode"])))


def test_reading_data_and_nothing_else_is_an_empty_plan() -> None:
    assert read_plan(plan(change("data.aws_x.a", ["read"], None, {"a": 1}))).is_empty
    assert not read_plan(plan(change("aws_x.a", ["create"], None, {}))).is_empty
    output = {"o": {"actions": ["update"], "before": 1, "after": 2, "after_unknown": False}}
    assert not read_plan(plan(output_changes=output)).is_empty


def test_only_what_differs_is_told() -> None:
    before = {"same": [1, 2], "number": 1, "gone": "x", "null": None, "tags": {"a": "1", "b": "2"}}
    after = {"same": [1, 2], "number": 2, "new": "y", "gone": None, "tags": {"a": "1", "b": "3", "c d": "4"}}
    found = only(change("aws_x.a", ["update"], before, after))
    assert told(found) == {
        "gone": ("x", None),
        "new": (None, "y"),
        "number": (1, 2),
        "tags.b": ("2", "3"),
        'tags["c d"]': (None, "4"),
    }
    assert [one.kind for one in found.attributes] == ["removed", "added", "changed", "changed", "added"]


def test_empty_values_that_come_or_go_with_their_key_are_no_news() -> None:
    created = only(change("aws_x.a", ["create"], None, {"a": [], "b": "", "c": {}, "d": False, "e": 0}))
    assert told(created) == {"d": (None, False), "e": (None, 0)}
    replaced = only(change("aws_x.a", ["delete", "create"], {"a": "", "b": 1}, {"b": 2}))
    assert told(replaced) == {"b": (1, 2)}
    # An update that does nothing else still has something to show.
    assert told(only(change("aws_x.a", ["update"], {"a": ""}, {"a": None}))) == {"a": ("", None)}


def test_a_new_element_does_not_shift_the_others() -> None:
    rules = [{"port": port, "cidr": "10.0.0.0/8"} for port in (80, 443, 5432)]
    found = only(
        change("aws_x.a", ["update"], {"rule": rules}, {"rule": [{"port": 22, "cidr": "0.0.0.0/0"}, *rules]})
    )
    assert told(found) == {"rule[0].port": (None, 22), "rule[0].cidr": (None, "0.0.0.0/0")}


def test_what_is_known_after_apply() -> None:
    after = {"a": 1, "block": [{"known": "k"}]}
    unknown = {"id": True, "block": [{"arn": True}], "tags": {}}
    found = only(change("aws_x.a", ["create"], None, after, unknown=unknown))
    marked = {one.path: (one.after, one.unknown) for one in found.attributes}
    assert marked == {
        "a": (1, False),
        "block[0].arn": (None, True),
        "block[0].known": ("k", False),
        "id": (None, True),
    }
    assert found.unknown_paths == ("block[0].arn", "id")


def test_what_forces_a_replacement() -> None:
    found = only(
        change(
            "aws_db_instance.main",
            ["delete", "create"],
            {"engine": "postgres", "name": "a", "block": [{"x": 1}]},
            {"engine": "mysql", "name": "b", "block": [{"x": 2}]},
            replace_paths=[["engine"], ["block", 0, "x"]],
            action_reason="replace_because_cannot_update",
        )
    )
    assert {one.path: one.forces_replacement for one in found.attributes} == {
        "block[0].x": True,
        "engine": True,
        "name": False,
    }
    assert found.replace_paths == ("engine", "block[0].x")
    assert found.reason == "replace_because_cannot_update"


SECRET = "Tr0ub4dor&3-horse"


def everything(document: bytes) -> str:
    """All that a page, an API or a traceback could show of a plan."""
    found = read_plan(document)
    return repr(found) + "".join(repr(one) for one in found.changes) + repr(found.outputs) + repr(found.drift)


def test_sensitive_values_are_masked_wherever_they_are_marked() -> None:
    document = plan(
        change(
            "aws_x.a",
            ["update"],
            {"password": SECRET, "nested": {"list": ["plain", SECRET]}},
            {"password": SECRET + "2", "nested": {"list": ["plain", SECRET + "2"]}},
            before_sensitive={"password": True, "nested": {"list": [False, True]}},
            after_sensitive={"password": True, "nested": {"list": [False, True]}},
        ),
        output_changes={
            "o": {
                "actions": ["update"],
                "before": SECRET,
                "after": SECRET + "2",
                "before_sensitive": True,
                "after_sensitive": True,
                "after_unknown": False,
            }
        },
    )
    assert SECRET not in everything(document)
    found = read_plan(document)
    assert told(found.changes[0]) == {"nested.list[1]": (MASK, MASK), "password": (MASK, MASK)}
    assert all(one.sensitive for one in found.changes[0].attributes)
    assert found.changes[0].before == {"password": MASK, "nested": {"list": ["plain", MASK]}}
    assert (found.outputs[0].before, found.outputs[0].after) == (MASK, MASK)


def test_a_copy_of_a_secret_without_a_mark_is_masked_too() -> None:
    definitions = json.dumps(
        [{"environment": [{"name": "DATABASE_URL", "value": f"postgres://u:{SECRET}@h/d"}]}]
    )
    document = plan(
        change(
            "aws_ecs_task_definition.a",
            ["create"],
            None,
            {"family": "f", "container_definitions": definitions},
        ),
        configuration={"root_module": {"variables": {"password": {"sensitive": True}}}},
        variables={"password": {"value": SECRET}},
    )
    assert SECRET not in everything(document)
    assert told(read_plan(document).changes[0])["family"] == (None, "f")


def test_json_inside_a_text_is_compared_as_what_it_is() -> None:
    def definitions(cpu: int, url: str) -> str:
        return json.dumps([{"name": "web", "cpu": cpu, "environment": [{"name": "URL", "value": url}]}])

    old, new = definitions(256, f"x://{SECRET}@old"), definitions(512, f"x://{SECRET}@new")
    document = plan(
        change(
            "aws_ecs_task_definition.a",
            ["delete", "create"],
            {"container_definitions": old, "policy": '{"a": 1}', "text": "[no json"},
            {"container_definitions": new, "policy": '{"a":1}', "text": "[still none"},
            replace_paths=[["container_definitions"]],
        ),
        configuration={"root_module": {"variables": {"password": {"sensitive": True}}}},
        variables={"password": {"value": SECRET}},
    )
    found = read_plan(document).changes[0]
    assert told(found) == {
        "container_definitions[0].cpu": (256, 512),
        "container_definitions[0].environment[0].value": (MASK, MASK),
        "policy": ('{"a": 1}', '{"a":1}'),
        "text": ("[no json", "[still none"),
    }
    assert all(one.forces_replacement for one in found.attributes if one.steps[0] == "container_definitions")
    assert found.after is not None
    assert json.loads(found.after["container_definitions"])[0]["environment"] == [
        {"name": "URL", "value": MASK}
    ]
    assert SECRET not in everything(document)


def test_a_sensitive_name_does_not_hide_every_address() -> None:
    document = plan(
        change("aws_x.a", ["create"], None, {"user": "triflow", "bucket": "triflow-production-media"}),
        configuration={"root_module": {"variables": {"user": {"sensitive": True}}}},
        variables={"user": {"value": "triflow"}},
    )
    assert told(read_plan(document).changes[0]) == {
        "bucket": (None, "triflow-production-media"),
        "user": (None, MASK),
    }


def test_a_change_of_sensitivity_alone_is_told() -> None:
    found = only(
        change("aws_x.a", ["update"], {"a": "value-1"}, {"a": "value-1"}, after_sensitive={"a": True})
    )
    (attribute,) = found.attributes
    assert attribute.sensitive_changed
    assert (attribute.before, attribute.after) == (MASK, MASK)


def test_drift_that_means_nothing_is_not_significant() -> None:
    drift = [
        change("aws_x.quiet", ["update"], {"tags": None}, {"tags": {}}),
        change("aws_x.elsewhere", ["update"], {"size": 1}, {"size": 2}),
        change("aws_x.real", ["update"], {"size": 1}, {"size": 2}),
    ]
    acting = change("aws_x.real", ["update"], {"size": 2}, {"size": 1})
    found = read_plan(
        plan(acting, change("aws_x.quiet", ["update"], {"a": 1}, {"a": 2}), resource_drift=drift)
    )
    assert {one.address: one.significant for one in found.drift} == {
        "aws_x.quiet": False,
        "aws_x.elsewhere": False,
        "aws_x.real": True,
    }


def test_deposed_objects_and_addresses_in_modules() -> None:
    entry = change('module.a["x"].aws_x.b[0]', ["delete"], {"id": "1"}, None, deposed="abcd1234", index=0)
    entry["module_address"] = 'module.a["x"]'
    found = only(entry)
    assert (found.deposed, found.module, found.index) == ("abcd1234", 'module.a["x"]', 0)


def test_five_thousand_changes_are_read_in_seconds() -> None:
    before = {f"attribute_{number}": f"value {number}" for number in range(40)}
    changes = [
        change(f"aws_x.a[{number}]", ["update"], before, {**before, "attribute_7": "new"})
        for number in range(5000)
    ]
    document = plan(
        *changes,
        configuration={"root_module": {"variables": {f"v{n}": {"sensitive": True} for n in range(20)}}},
        variables={f"v{n}": {"value": f"{SECRET}{n}"} for n in range(20)},
    )
    started = time.process_time()
    found = read_plan(document)
    assert len(found.changes) == 5000
    assert all(len(one.attributes) == 1 for one in found.changes)
    assert time.process_time() - started < 15


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"format_version": "2.0"}',
        b'{"format_version": 1}',
        b'{"format_version": "1.0", "values": {"root_module": {}}}',
        b"{}",
        b'{"format_version": "1.2", "resource_changes": {}}',
        b'{"format_version": "1.2", "resource_changes": [1]}',
        b'{"format_version": "1.2", "resource_changes": [{}]}',
        b'{"format_version": "1.2", "resource_changes": [{"address": "a", "change": {"actions": 3}}]}',
        b'{"format_version": "1.2", "resource_changes": [{"address": "a", "change": {"actions": [[]]}}]}',
        b'{"format_version": "1.2", "output_changes": []}',
        b'{"format_version": "1.2", "output_changes": {"a": 1}}',
        b'{"format_version": "1.2", "resource_changes": ' + b"[" * 100000,
        b'{"format_version": "1.2", "x": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"format_version": "1.2", "x": 1e999}',
        b'{"format_version": "1.2", "x": NaN}',
        b'{"format_version": "1.2", "x": ' + b"9" * 5000 + b"}",
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_plan_is_refused_in_one_sentence(document: bytes) -> None:
    document = document.replace(b'"1.2", ', b'"1.2", "planned_values": {}, ')
    with pytest.raises(PlanUnreadable) as caught:
        read_plan(document)
    assert "\n" not in str(caught.value)


def test_warnings_around_the_document_do_not_matter() -> None:
    whole = plan(change("aws_x.a", ["create"], None, {"a": 1}))
    assert len(read_plan(b"Warning: something\n\n" + whole + b"\n{}\nMore words\n").changes) == 1


def test_a_truncated_plan_is_refused(tmp_path: Any) -> None:
    whole = plan(change("aws_x.a", ["create"], None, {"a": "ü"}))
    for length in range(len(whole)):
        with pytest.raises(PlanUnreadable):
            read_plan(whole[:length])
    with pytest.raises(PlanUnreadable, match="could not be read"):
        read_plan(tmp_path / "missing")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
MARKS = st.recursive(
    st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
ACTIONS = st.sampled_from(
    [["create"], ["update"], ["delete"], ["delete", "create"], ["no-op"], ["read"], ["zap"]]
)


@given(
    before=JSON,
    after=JSON,
    unknown=MARKS,
    before_sensitive=MARKS,
    after_sensitive=MARKS,
    actions=ACTIONS | JSON,
    replace_paths=JSON,
    kind=st.sampled_from(
        ["aws_db_instance", "aws_ecs_service", "aws_db_parameter_group", "aws_ssm_parameter", "x"]
    ),
)
def test_any_change_is_read_or_refused(kind: str, actions: Any, **parts: Any) -> None:
    document = plan(
        change(f"{kind}.a", actions, **parts), output_changes={"o": {"actions": ["update"], **parts}}
    )
    try:
        found = read_plan(document)
    except PlanUnreadable:
        return
    for one in found.changes:
        assert len({attribute.path for attribute in one.attributes}) <= len(one.attributes)
        json.dumps([attribute.after for attribute in one.attributes])


@given(
    document=JSON,
    extra=st.sampled_from(["resource_changes", "resource_drift", "output_changes", "variables"]),
    value=JSON,
)
def test_any_document_is_read_or_refused(document: Any, extra: str, value: Any) -> None:
    if isinstance(document, dict):
        document |= {"format_version": "1.0", "planned_values": None, extra: value}
    try:
        read_plan(json.dumps(document).encode())
    except PlanUnreadable:
        return
