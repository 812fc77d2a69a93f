"""Command lines, rendered by python-terraform and nothing else of it.

The library renders options well, but its way of running commands loads the state into memory, inherits
the whole environment and stdin, turns any misspelt attribute into a command, and leaves variables in
temporary files. So only `generate_cmd_string` is used, behind a list of what the portal may ask for.
Values never travel in options: variables go into a file of the work folder, secrets into the environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

from python_terraform import IsFlagged, Terraform

from portal.terraform.errors import CommandRefused

FLAG: Final = IsFlagged
"""The value of an option that has none: `{"json": FLAG}` renders `-json`."""

Option = str | int | bool | Sequence[str] | type[IsFlagged] | None

ALLOWED: Final = frozenset(
    {
        "init",
        "plan",
        "apply",
        "show",
        "validate",
        "output",
        "version",
        "get",
        "providers",
        "providers lock",
        "providers schema",
        "state list",
        "state pull",
        "import",
        "force-unlock",
    }
)
# Values in an argument list are visible to every user of the machine, and Terraform copies these into
# plan files.
REFUSED_OPTIONS: Final = frozenset({"var", "backend_config", "auto_approve", "force_copy", "state"})


class CommandLine(Terraform):  # type: ignore[misc]
    """Renders `[binary, sub-command, -option=value..., argument...]`; never runs anything."""

    def __init__(self, binary: str = "terraform") -> None:
        super().__init__(terraform_bin_path=binary, is_env_vars_included=False)

    def read_state_file(self, file_path: str | None = None) -> None:
        """State holds secrets and is not ours to load."""

    def __getattr__(self, item: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} has no attribute {item!r}")

    def cmd(self, cmd: str, *args: str, **kwargs: Any) -> NoReturn:
        raise CommandRefused("Commands are rendered here and run by portal.terraform.process.")

    apply = destroy = plan = init = output = import_cmd = cmd

    def render(self, command: str, *arguments: str, options: Mapping[str, Option] | None = None) -> list[str]:
        """The argument list for one command.

        Options are written with underscores (`lock_timeout="60s"`); True and False become `=true` and
        `=false`, a list repeats the option, `FLAG` has no value, None leaves it out. Errors:
        `CommandRefused`.
        """
        if command not in ALLOWED:
            raise CommandRefused(f"The portal does not run “terraform {command}”.")
        chosen: dict[str, Any] = {}
        for name, value in (options or {}).items():
            if name.replace("-", "_") in REFUSED_OPTIONS:
                raise CommandRefused(f"The portal does not pass -{name.replace('_', '-')} to Terraform.")
            if isinstance(value, Mapping | bytes):
                raise CommandRefused(f"The option -{name.replace('_', '-')} cannot take such a value.")
            chosen[name] = list(value) if isinstance(value, tuple | list) else value
        for argument in arguments:
            if argument.startswith("-"):
                raise CommandRefused(f"“{argument}” would be read as an option, not as an argument.")
        if command == "apply" and len(arguments) != 1:
            raise CommandRefused("Apply takes exactly one argument: the saved plan.")
        rendered: list[str] = self.generate_cmd_string(command, *arguments, **chosen)
        return rendered
