"""What this room makes of values is what the real Terraform makes of them; what it refuses, Terraform refuses."""

import json
import subprocess
from pathlib import Path

import pytest

from environments.blueprints.exact import read_json, write_json
from environments.blueprints.validation import check_variables, effective, tfvars
from environments.blueprints.variables import Variable, read_interface

WORKSHOP = Path(__file__).parent / "fixtures" / "workshop"
GOOD = {"name": "web-service", "password": "correct horse battery"}
ACCEPTED: list[dict[str, object]] = [
    {},
    {"size": "2.50", "zones": [1, "b"], "ports": ["9", 10, 9], "tags": {"a": 1, "b": True}},
    {
        "scaling": {"min": "1", "policy": {"hours": ["3", 4]}, "note": 5},
        "rules": [{"port": "80", "cidrs": None}],
    },
    {"scaling": {"min": 2, "max": None, "policy": None}, "pair": [7, "8"], "enabled": "false"},
    {"enabled": None, "window": None, "extra": {"a": [1, 2.5, "x"], "b": None}},
    {"size": "12.345678901234567890123", "rules": [{"port": 1}, {"port": 2, "cidrs": []}]},
]
REFUSED: list[dict[str, object]] = [
    {"name": "Bad Name"},
    {"size": 0},
    {"size": "many"},
    {"size": None},
    {"size": True},
    {"enabled": 1},
    {"enabled": "True"},
    {"zones": "a"},
    {"zones": ["ab"]},
    {"tags": ["a"]},
    {"scaling": {"max": 3}},
    {"scaling": {"min": 9}},
    {"rules": [{"port": 1, "cidrs": ["10.0.0.0/40"]}]},
    {"pair": ["a"]},
    {"password": "short"},
    {"window": "Monday"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workshop less the rule that only a data source could answer."""
    made = tmp_path_factory.mktemp("workshop")
    text = (WORKSHOP / "variables.tf").read_text()
    (made / "variables.tf").write_text(text.replace("data.aws_regions.all.names", '["x"]'))
    return made


@pytest.fixture(scope="module")
def schema(folder: Path) -> tuple[Variable, ...]:
    return read_interface(folder).variables


def terraform(folder: Path, command: str, text: str, question: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "values.tfvars.json").write_text(text)
    return subprocess.run(
        ["terraform", command, "-var-file=values.tfvars.json", *(["-input=false"] if command == "plan" else [])],
        cwd=folder, input=question, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.terraform
@pytest.mark.parametrize("values", ACCEPTED)
def test_accepted_values_mean_the_same(
    folder: Path, schema: tuple[Variable, ...], values: dict[str, object]
) -> None:
    given = GOOD | values
    assert check_variables(schema, given).found == {}
    names = [v.name for v in schema if not v.sensitive]
    question = "jsonencode({" + ", ".join(f"{name} = var.{name}" for name in names) + "})\n"
    ours = {name: value for name, value in effective(schema, given).items() if name in names}
    if given.get("enabled", ...) is None:
        # Null for a variable that may not be null: its default.
        ours["enabled"] = True
    # Once as it was sent, once as we would hand it over: both must mean the same.
    for text in (write_json(given), tfvars(schema, given)):
        done = terraform(folder, "console", text, question)
        assert done.returncode == 0, done.stderr
        assert read_json(json.loads(done.stdout)) == ours


@pytest.mark.terraform
@pytest.mark.parametrize("values", REFUSED)
def test_refused_values_are_refused_by_terraform_too(
    folder: Path, schema: tuple[Variable, ...], values: dict[str, object]
) -> None:
    given = GOOD | values
    assert check_variables(schema, given).found
    done = terraform(folder, "plan", write_json(given))
    assert done.returncode == 1, done.stdout
    assert "variable" in done.stderr
