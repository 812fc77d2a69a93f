"""Terraform's stream of events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.terraform.events import (
    DiagnosticEvent,
    Event,
    OutputsEvent,
    ResourceEvent,
    SummaryEvent,
    VersionEvent,
    human_line,
    parse_line,
)
from tests.portal.terraform.conftest import Workspace
from tests.portal.terraform.test_plan import JSON


def line(kind: str, message: str = "", **more: Any) -> str:
    return json.dumps({"@level": "info", "@message": message, "@timestamp": "t", "type": kind, **more})


def test_progress_of_a_resource() -> None:
    hook = {
        "resource": {"addr": "aws_a.b[0]", "resource_type": "aws_a"},
        "action": "create",
        "id_key": "id",
        "id_value": "i-1",
        "elapsed_seconds": 12,
    }
    event = parse_line(line("apply_complete", "aws_a.b[0]: Creation complete after 12s [id=i-1]", hook=hook))
    assert isinstance(event, ResourceEvent)
    assert (event.type, event.address, event.action, event.elapsed, event.id_value) == (
        "apply_complete", "aws_a.b[0]", "create", 12.0, "i-1",
    )  # fmt: skip
    assert human_line(event) == "aws_a.b[0]: Creation complete after 12s [id=i-1]"


def test_a_diagnostic_reads_like_terraform_s_own() -> None:
    found = {
        "severity": "error",
        "summary": "Invalid value",
        "detail": "First.\n\nSecond.",
        "address": "aws_a.b",
        "range": {"filename": "main.tf", "start": {"line": 7}},
        "snippet": {"code": "x = 1"},
    }
    event = parse_line(line("diagnostic", "Error: Invalid value", diagnostic=found))
    assert isinstance(event, DiagnosticEvent)
    assert (event.severity, event.filename, event.line, event.snippet) == ("error", "main.tf", 7, "x = 1")
    assert human_line(event).splitlines() == [
        "Error: Invalid value",
        "  with aws_a.b",
        "  on main.tf line 7",
        "  First.",
        "",
        "  Second.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "panic: runtime error",
        "{",
        "{}",
        '{"type": 3}',
        '{"type": null}',
        "[1]",
        "null",
        "{" * 5000,
        " plain ",
    ],
)
def test_what_is_no_event_is_text(text: str) -> None:
    event = parse_line(text)
    assert event == Event("text", text)
    assert human_line(event) == text


def test_unknown_types_keep_their_message() -> None:
    assert human_line(parse_line(line("brand_new", "Something happened"))) == "Something happened"


KINDS = [
    "version",
    "outputs",
    "change_summary",
    "diagnostic",
    "apply_start",
    "planned_change",
    "log",
    "provision_progress",
]


@given(
    kind=st.sampled_from(KINDS),
    key=st.sampled_from(["hook", "change", "changes", "diagnostic", "outputs"]),
    value=JSON,
)
def test_any_object_is_an_event(kind: str, key: str, value: Any) -> None:
    event = parse_line(json.dumps({"type": kind, key: value}))
    assert isinstance(human_line(event), str)
    assert event.type == kind


CODE = """
resource "terraform_data" "good" {
  provisioner "local-exec" { command = "echo hello from the provisioner" }
}
resource "terraform_data" "bad" {
  provisioner "local-exec" { command = "exit 3" }
}
output "o" { value = terraform_data.good.id }
"""


@pytest.mark.terraform
def test_the_stream_of_a_real_apply(workspace: Workspace) -> None:
    workspace.write(CODE)
    workspace.init()
    from portal.terraform.options import apply_options, plan_options

    code, text = workspace.run("plan", options=plan_options("plan.bin"))
    assert code == 2
    planned = [parse_line(one) for one in text.splitlines()]
    assert isinstance(planned[0], VersionEvent)
    assert planned[0].terraform == workspace.installation.version
    summary = next(one for one in planned if isinstance(one, SummaryEvent))
    assert (summary.operation, summary.add, summary.remove) == ("plan", 2, 0)
    assert any(isinstance(one, OutputsEvent) and set(one.outputs) == {"o"} for one in planned)

    code, text = workspace.run("apply", "plan.bin", options=apply_options())
    assert code == 1
    events = [parse_line(one) for one in text.splitlines()]
    assert not [one for one in events if one.type == "text"]
    told = [(one.type, one.address) for one in events if isinstance(one, ResourceEvent)]
    assert ("apply_complete", "terraform_data.good") in told
    assert ("apply_errored", "terraform_data.bad") in told
    assert "terraform_data.good: hello from the provisioner" in [human_line(one) for one in events]
    (error,) = [one for one in events if isinstance(one, DiagnosticEvent)]
    assert (error.severity, error.address) == ("error", "terraform_data.bad")
