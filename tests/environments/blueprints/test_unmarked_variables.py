"""A text variable that is named like a secret is kept like one, marked or not."""

from pathlib import Path

from environments.blueprints.variables import read_interface

VARIABLES = """
variable "db_password" { type = string }
variable "apiToken" {
  type      = string
  sensitive = false
}
variable "password_length" { type = number }
variable "secret_arn" { type = string }
variable "client_secret" { type = bool }
variable "name" {
  type      = string
  sensitive = true
}
"""


def test_a_name_tells_what_its_mark_forgot(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text(VARIABLES)
    hidden = {variable.name for variable in read_interface(tmp_path).variables if variable.sensitive}
    assert hidden == {"db_password", "apiToken", "name"}
