"""A blueprint's variables are read from its files, and values judged by them."""

from pathlib import Path

import pytest

from environments.blueprints.hcl import BlueprintUnreadable
from environments.blueprints.validation import check_variables, effective, tfvars, validate_variables
from environments.blueprints.variables import Variable, from_json, read_interface, to_json
from portal.core.errors import InvalidInput

WORKSHOP = Path(__file__).parent / "fixtures" / "workshop"


@pytest.fixture(scope="module")
def schema() -> tuple[Variable, ...]:
    return read_interface(WORKSHOP).variables


def test_what_is_read(schema: tuple[Variable, ...]) -> None:
    found = {v.name: v for v in schema}
    assert list(found)[:3] == ["name", "size", "enabled"]
    assert found["name"].description == 'What it is called.\n  Indented "once".'
    assert found["name"].required
    assert str(found["size"].default) == "1.5"
    assert not found["enabled"].nullable
    assert found["password"].sensitive
    assert found["ports"].effective_default == [80, 443]
    assert found["scaling"].effective_default == {
        "min": 1, "max": 4, "policy": {"step": 1, "hours": []}, "note": None,
    }  # fmt: skip
    assert found["extra"].has_default
    assert str(found["extra"].type) == "any"
    assert found["size"].line == 15
    assert [(o.name, o.sensitive) for o in read_interface(WORKSHOP).outputs] == [
        ("name", False),
        ("password", True),
    ]


def test_the_schema_survives_a_json_column(schema: tuple[Variable, ...]) -> None:
    import json

    assert from_json(json.loads(json.dumps(to_json(schema)))) == schema


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('variable "a" {\n  type = strin\n}', 2),
        ('variable "a" {\n  default = var.b\n}', 2),
        ('variable "a" {\n\n  type = number\n  default = "x"\n}', 1),
        ('variable "a" {\n  type = string\n', None),
        ('variable "a" {}\nvariable "a" {}', 2),
        ('variable "a" {\n  validation {\n    condition = true\n  }\n}', 2),
        ('variable "a" {\n  nullable = maybe\n}', 2),
        ("\n\nvariable {\n}", 3),
        ("x = = 1", 1),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, text: str, line: int | None) -> None:
    (tmp_path / "variables.tf").write_text(text)
    with pytest.raises(BlueprintUnreadable) as caught:
        read_interface(tmp_path)
    assert caught.value.message.startswith("variables.tf")
    if line:
        assert f"line {line}:" in caught.value.message


def test_too_large_and_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text("# " + "x" * 600_000)
    with pytest.raises(BlueprintUnreadable, match="512 kB"):
        read_interface(tmp_path)
    (tmp_path / "a.tf").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BlueprintUnreadable, match="UTF-8"):
        read_interface(tmp_path)


GOOD = {"name": "web-service", "password": "correct horse battery"}


def test_good_values_come_apart(schema: tuple[Variable, ...]) -> None:
    plain, secret = validate_variables(schema, {**GOOD, "size": "2.50", "enabled": None, "extra": {"a": 1.5}})
    assert secret == {"password": GOOD["password"]}
    assert set(plain) == {"name", "size", "extra"}
    assert str(plain["size"]) == "2.5"


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"name": "Bad Name"}, "name", 'not "Bad Name"'),
        ({"size": 0}, "size", "From 1 to 100"),
        ({"size": "many"}, "size", "must be a number"),
        ({"zones": ["a", "bc"]}, "zones", "One letter each"),
        ({"zones": ["a", ["b"]]}, "zones[1]", "must be text"),
        ({"scaling": {"min": 5}}, "scaling", "min must not exceed max"),
        ({"scaling": {"min": "x"}}, "scaling.min", "must be a number"),
        (
            {"scaling": {"min": 1, "policy": {"hours": [1, "y"]}}},
            "scaling.policy.hours[1]",
            "must be a number",
        ),
        ({"rules": [{"port": 80, "cidrs": ["10.0.0.0/99"]}]}, "rules", "Every cidr"),
        ({"tags": ["a"]}, "tags", "must be a map"),
        ({"nmae": 1}, "nmae", "did you mean “name”"),
        ({"window": "Monday"}, "window", "mon:03"),
        ({"name": None}, "name", ""),
    ],
)
def test_wrong_values_are_refused_where_they_are(
    schema: tuple[Variable, ...], change: dict[str, object], path: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_variables(schema, {**GOOD, **change})
    assert list(caught.value.errors) == [path]
    assert words in " ".join(caught.value.errors[path])


def test_required_ones_are_asked_for(schema: tuple[Variable, ...]) -> None:
    assert set(check_variables(schema, {}).found) == {"name", "password"}


def test_a_refusal_never_quotes_a_secret(schema: tuple[Variable, ...]) -> None:
    found = check_variables(schema, {**GOOD, "password": "short"}).found
    assert "short" not in str(found)
    assert "5" not in str(found["password"])


def test_what_terraform_gets(schema: tuple[Variable, ...]) -> None:
    text = tfvars(schema, {"size": "12345678901234567890.5", "ports": [443, 80], "scaling": {"min": 2}})
    assert '"size": 12345678901234567890.5' in text
    assert '"max": 4' in text
    assert effective(schema, {"name": "x"})["zones"] == ["a", "b"]
