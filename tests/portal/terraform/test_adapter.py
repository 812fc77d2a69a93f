"""What may stand in a Terraform command line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from portal.terraform.adapter import FLAG, CommandLine
from portal.terraform.errors import CommandRefused
from portal.terraform.options import apply_options, init_options, plan_options


def test_options_are_rendered_as_terraform_wants_them() -> None:
    argv = CommandLine("/bin/terraform").render(
        "plan", options=plan_options("p.bin", destroy=True, targets=["a.b[0]", 'm.x["k k"].c'], parallelism=4)
    )
    assert argv == [
        "/bin/terraform", "plan", "-json", "-input=false", "-out=p.bin", "-detailed-exitcode",
        "-lock-timeout=60s", "-destroy", "-target=a.b[0]", '-target=m.x["k k"].c', "-parallelism=4",
    ]  # fmt: skip


def test_a_drift_plan_takes_no_lock() -> None:
    argv = CommandLine().render("plan", options=plan_options("p", lock=False))
    assert "-lock=false" in argv
    assert not any(part.startswith("-lock-timeout") for part in argv)


def test_two_words_of_a_sub_command_and_arguments_come_in_order() -> None:
    assert CommandLine().render("force-unlock", "id", options={"force": FLAG}) == [
        "terraform", "force-unlock", "-force", "id",
    ]  # fmt: skip
    assert CommandLine().render("state list")[1:] == ["state", "list"]


def test_init_and_apply_never_ask() -> None:
    assert CommandLine().render("init", options=init_options(lock_file_readonly=True))[2:] == [
        "-input=false", "-no-color", "-lockfile=readonly",
    ]  # fmt: skip
    assert CommandLine().render("apply", "p", options=apply_options())[2:] == [
        "-json", "-input=false", "-lock-timeout=60s", "p",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "arguments", "options"),
    [
        ("destroy", (), {}),
        ("state rm", ("a.b",), {}),
        ("aply", (), {}),
        ("console", (), {}),
        ("apply", (), {"auto_approve": FLAG}),
        ("apply", ("p",), {"auto_approve": True}),
        ("plan", (), {"var": ["a=secret"]}),
        ("plan", (), {"var": {"a": "secret"}}),
        ("plan", (), {"anything": {"a": "b"}}),
        ("init", (), {"backend_config": ["password=secret"]}),
        ("init", (), {"backend-config": ["password=secret"]}),
        ("show", ("-json",), {}),
    ],
)
def test_what_the_portal_never_asks_for(
    command: str, arguments: tuple[str, ...], options: dict[str, object]
) -> None:
    with pytest.raises(CommandRefused):
        CommandLine().render(command, *arguments, options=options)  # type: ignore[arg-type]


def test_the_library_can_neither_run_nor_read_nor_leave_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "terraform.tfstate").write_text("not even JSON")
    line = CommandLine()
    for name in ("cmd", "apply", "destroy", "plan", "init", "output"):
        with pytest.raises(CommandRefused):
            getattr(line, name)("x")
    with pytest.raises(AttributeError):
        line.aply  # noqa: B018 - the library would run "terraform aply"
    assert not hasattr(line, "state_list")
    line.render("plan", options=plan_options("p"))
    assert [path.name for path in tmp_path.iterdir()] == ["terraform.tfstate"]
