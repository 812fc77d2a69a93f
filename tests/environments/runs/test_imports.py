"""Import blocks: only for what the plan would otherwise create, written so that Terraform reads the id as it is."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from environments.changes.kinds import ToolFailure
from environments.runs.leftovers import imports
from environments.runs.leftovers.imports import Imports
from portal.terraform.hints import hint_for


def plan(**actions: str) -> Any:
    """A plan with these actions by resource; "import:ID" is an update that imports."""
    changes = []
    for name, action in actions.items():
        word, _colon, import_id = action.partition(":")
        word = "update" if word == "import" else word
        changes.append(SimpleNamespace(address=f"terraform_data.{name}", action=word, import_id=import_id))
    return SimpleNamespace(changes=changes)


def test_only_what_would_be_created_is_imported():
    asked = Imports({"terraform_data.a": "1", "terraform_data.b": "2", "terraform_data.gone": "3"})
    narrowed = asked.narrowed(plan(a="create", b="update", c="create"))
    assert narrowed.wanted == {"terraform_data.a": "1"}
    assert narrowed.as_facts() == {
        "imports": {"terraform_data.a": "1"},
        "imports_left_out": ["terraform_data.b", "terraform_data.gone"],
    }
    assert asked.narrowed(None).wanted == {}
    assert Imports().as_facts() == {}


def test_a_plan_that_creates_what_it_was_told_to_import_is_refused():
    wanted = {"terraform_data.a": "1", "terraform_data.b": "2"}
    imports.insist(wanted, plan(a="import:1", b="import:2"))
    with pytest.raises(ToolFailure) as refused:
        imports.insist(wanted, plan(a="import:1", b="create"))
    assert "Terraform would create terraform_data.b" in refused.value.message
    assert "terraform_data.a" not in refused.value.message
    with pytest.raises(ToolFailure):
        imports.insist(wanted, None)


def test_an_id_is_never_read_as_a_template(tmp_path):
    imports.write_blocks(tmp_path, {"terraform_data.a": 'x${file("/etc/passwd")}%{if true}"\\'})
    path = tmp_path / imports.BLOCKS
    assert json.loads(path.read_text()) == {
        "import": [{"to": "terraform_data.a", "id": 'x$${file("/etc/passwd")}%%{if true}"\\'}]
    }
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_import_of_what_does_not_exist_says_what_to_do():
    hint = hint_for(
        "Error: Cannot import non-existent remote object\n\nWhile attempting to import an existing object to "
        '"aws_s3_bucket.a", the provider detected that no object exists with the given id.'
    )
    assert hint is not None
    assert "Dismiss it" in hint.remedy
