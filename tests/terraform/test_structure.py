"""Modules and blueprints have the standard shape, and their READMEs tell all of it."""

import json
import re
from pathlib import Path

import pytest

from environments.blueprints.conditions import holds
from environments.blueprints.types import type_json
from environments.blueprints.validation import effective, validate_variables
from environments.blueprints.variables import Interface, read_interface
from portal.core.errors import InvalidInput
from tests.terraform.conftest import BLUEPRINTS, FOLDERS, MODULES, SOURCE

SHAPE = {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md"}
SECRETS = {
    "web-service": {
        "db_password": "correct-horse-battery",
        "redis_auth_token": "a-token-of-twenty-characters",
    },
    "container-services": {
        "db_password": "correct-horse-battery",
        "redis_auth_token": "a-token-of-twenty-characters",
        "application_secrets": '{"JWT_SECRET": "0123456789abcdef", "OPENAI_API_KEY": "none"}',
    },
    "object-store": {"api_key": "0123456789abcdef"},
    "static-site": {},
}
EXAMPLES = sorted(SOURCE.glob("blueprints/*/examples/*.tfvars.json"))


def interface(folder: str) -> Interface:
    return read_interface(SOURCE / folder)


def values_of(example: Path) -> dict:
    return {**json.loads(example.read_text()), **SECRETS[example.parents[1].name]}


@pytest.mark.parametrize("folder", FOLDERS)
def test_standard_shape(folder: str) -> None:
    files = {path.name for path in (SOURCE / folder).iterdir()}
    wanted = SHAPE | ({"providers.tf", "backend.tf"} if folder.startswith("blueprints/") else set())
    assert wanted <= files
    assert list((SOURCE / folder / "tests").glob("*.tftest.hcl"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_variable_is_typed_and_described(folder: str) -> None:
    found = interface(folder)
    assert found.variables
    for variable in found.variables:
        assert variable.description.strip().endswith((".", "?")), variable.name
        assert variable.type_source != "any", variable.name
        assert '"any"' not in json.dumps(type_json(variable.type)), variable.name
    for output in found.outputs:
        assert output.description.strip().endswith("."), output.name


@pytest.mark.parametrize("folder", FOLDERS)
def test_free_text_and_numbers_are_validated(folder: str) -> None:
    """A bool cannot be wrong, and a map or object whose parts are checked further in need not repeat it."""
    unchecked = [
        variable.name
        for variable in interface(folder).variables
        if not variable.validations
        and variable.type_source.split("(")[0] in {"string", "number", "list", "object"}
    ]
    assert unchecked == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_modules_stay_small(module: Path) -> None:
    assert len(interface(f"modules/{module.name}").variables) <= 15
    main = (module / "main.tf").read_text()
    assert len(main.splitlines()) <= 250
    assert re.search(r'^resource "\w+" "this" \{', main, re.MULTILINE)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_readme_names_every_variable_and_output(folder: str) -> None:
    readme = (SOURCE / folder / "README.md").read_text()
    found = interface(folder)
    missing = [item.name for item in (*found.variables, *found.outputs) if f"`{item.name}`" not in readme]
    assert missing == []


def alarms_in_the_code() -> set[str]:
    main = (SOURCE / "modules/monitoring/main.tf").read_text()
    definitions = main.split("definitions = {", 1)[1].split("\n  }\n", 1)[0]
    return set(re.findall(r"^    ([a-z0-9-]+) = \{$", definitions, re.MULTILINE))


def test_the_readme_explains_every_alarm() -> None:
    readme = (SOURCE / "blueprints/web-service/README.md").read_text()
    section = readme.split("## Alarms", 1)[1].split("\n## ", 1)[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("| `")
    ]
    assert {row[0].strip("`") for row in rows} == alarms_in_the_code()
    assert len(rows) == 11
    for row in rows:
        assert len(row) == 4
        assert all(row), row


def test_the_readme_adds_up_its_resources() -> None:
    readme = (SOURCE / "blueprints/web-service/README.md").read_text()
    counts = [int(number) for number in re.findall(r"^\| \[\w+\].*?\| (\d+) \|", readme, re.MULTILINE)]
    together = re.search(r"\*\*Together\*\* \| \*\*(\d+)\*\*", readme)
    assert together and int(together[1]) == sum(counts)


def test_the_guard_stands_before_everything() -> None:
    """A module it does not depend on would be destroyed although the guard refuses."""
    main = (SOURCE / "blueprints/web-service/main.tf").read_text()
    modules = set(re.findall(r'^module "(\w+)" \{', main, re.MULTILINE))
    guarded = set(
        re.findall(r"^    module\.(\w+),$", main.split('module "deletion_guard"', 1)[1], re.MULTILINE)
    )
    assert guarded == modules - {"deletion_guard"}
    assert not re.search(r"^resource ", main, re.MULTILINE)


def test_nothing_knows_which_aws_it_is() -> None:
    """The same files run against the sandbox and against AWS."""
    traces = re.compile(
        r"moto|localstack|sandbox|endpoints\s*\{|skip_credentials|s3_use_path_style|127\.0\.0\.1", re.I
    )
    for path in SOURCE.rglob("*.tf"):
        assert not traces.search(path.read_text()), path


def test_no_secret_has_a_default_or_an_example() -> None:
    for blueprint in BLUEPRINTS:
        found = read_interface(blueprint)
        sensitive = {variable.name for variable in found.variables if variable.sensitive}
        assert sensitive == set(SECRETS[blueprint.name])
        assert all(variable.required for variable in found.variables if variable.sensitive)
        for example in blueprint.glob("examples/*.json"):
            assert not sensitive & set(json.loads(example.read_text()))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_portal_accepts_the_examples_and_can_judge_every_rule(example: Path) -> None:
    """The form refuses a wrong value before Terraform is asked: only if it understands each condition."""
    variables = read_interface(example.parents[1]).variables
    validate_variables(variables, values_of(example))
    effects = effective(variables, values_of(example))
    for variable in variables:
        for rule in variable.validations:
            assert holds(rule.condition, effects) is True, (variable.name, rule.condition)


def test_the_portal_says_field_by_field_what_is_wrong() -> None:
    variables = interface("blueprints/web-service").variables
    wrong = {
        "network": {"zones": ["a"]},
        "task": {"cpu": 300},
        "scaling": {"min_tasks": 4, "max_tasks": 3},
        "database": {"maintenance_window": "mon-19:00"},
        "log_retention_days": 15,
        "final_snapshot": False,
        "db_password": "with a space",
    }
    with pytest.raises(InvalidInput) as refused:
        validate_variables(
            variables,
            {**values_of(SOURCE / "blueprints/web-service/examples/triflow-production.tfvars.json"), **wrong},
        )
    for name in wrong:
        assert name in str(refused.value)
    assert "with a space" not in str(refused.value)
