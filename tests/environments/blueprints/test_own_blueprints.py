"""The blueprints of this repository: readable, and every rule of theirs judged before Terraform is asked."""

from pathlib import Path

import pytest
from django.conf import settings

from environments.blueprints.collecting import blueprint_folders, collect
from environments.blueprints.conditions import holds
from environments.blueprints.exact import read_json
from environments.blueprints.posted import Posted, shown
from environments.blueprints.types import type_json
from environments.blueprints.validation import check_variables, effective
from environments.blueprints.variables import read_interface
from portal.core.templatetags.editors import build_editor
from tests.environments.blueprints.test_posted_fields import fields_of

FOLDERS = blueprint_folders()
EXAMPLES = sorted(
    path for base in settings.BLUEPRINT_DIRS for path in Path(base).glob("*/examples/*.tfvars.json")
)

# A secret that is no password.
SECRETS = {"application_secrets": '{"JWT_SECRET": "0123456789abcdef", "OPENAI_API_KEY": "none"}'}


@pytest.mark.parametrize("slug", sorted(FOLDERS))
def test_it_can_be_read(slug: str) -> None:
    interface = read_interface(FOLDERS[slug])
    assert interface.variables
    assert all(variable.description for variable in interface.variables)
    assert any(file.path.startswith("modules/") for file in collect(FOLDERS[slug]))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_its_examples_are_accepted_and_every_rule_is_judged(path: Path) -> None:
    schema = read_interface(path.parent.parent).variables
    given = read_json(path.read_text())
    secrets = {
        v.name: SECRETS.get(v.name, "Long-enough-secret-1") for v in schema if v.sensitive and v.required
    }
    assert check_variables(schema, given | secrets).found == {}
    values = effective(schema, given | secrets)
    unjudged = [
        (variable.name, rule.condition)
        for variable in schema
        for rule in variable.validations
        if holds(rule.condition, values) is None
    ]
    assert unjudged == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_its_examples_survive_the_form(path: Path) -> None:
    schema = read_interface(path.parent.parent).variables
    given = read_json(path.read_text())
    for name, value in effective(schema, given).items():
        variable = next(v for v in schema if v.name == name)
        editor = build_editor(f"var-{name}", type_json(variable.type), shown(value, variable.type))
        read_back, _typed = Posted(fields_of(editor)).read(f"var-{name}", variable.type, name)
        if value not in (None, {}, [], ""):
            assert effective([variable], {name: read_back})[name] == value


def test_there_is_something_to_test() -> None:
    assert {"container-services", "object-store", "static-site", "web-service"} <= set(FOLDERS)
    assert EXAMPLES
