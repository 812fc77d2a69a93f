"""Options of the commands a run is made of. Nothing here may prompt, colour its output or carry a secret."""

from __future__ import annotations

from collections.abc import Sequence

from portal.terraform.adapter import FLAG, Option

Options = dict[str, Option]


def init_options(*, lock_file_readonly: bool = False, backend: bool = True, upgrade: bool = False) -> Options:
    """`terraform init`. `lock_file_readonly` refuses providers that the snapshot's lock file does not
    name.
    """
    options: Options = {"input": False, "no_color": FLAG}
    if lock_file_readonly:
        options["lockfile"] = "readonly"
    if not backend:
        options["backend"] = False
    if upgrade:
        options["upgrade"] = FLAG
    return options


def plan_options(
    out: str,
    *,
    destroy: bool = False,
    refresh_only: bool = False,
    targets: Sequence[str] = (),
    replace: Sequence[str] = (),
    lock: bool = True,
    lock_timeout: int = 60,
    parallelism: int | None = None,
) -> Options:
    """`terraform plan` into the file `out`. Exit code 0: nothing to do, 1: error, 2: changes.

    `lock=False` is for drift plans, which must not hold up anybody. `lock_timeout` in seconds.
    """
    options: Options = {"json": FLAG, "input": False, "out": out, "detailed_exitcode": FLAG}
    if lock:
        options["lock_timeout"] = f"{lock_timeout}s"
    else:
        options["lock"] = False
    if destroy:
        options["destroy"] = FLAG
    if refresh_only:
        options["refresh_only"] = FLAG
    if targets:
        options["target"] = list(targets)
    if replace:
        options["replace"] = list(replace)
    if parallelism is not None:
        options["parallelism"] = parallelism
    return options


def apply_options(*, lock_timeout: int = 60, parallelism: int | None = None) -> Options:
    """`terraform apply PLAN`: the saved plan carries everything else."""
    options: Options = {"json": FLAG, "input": False, "lock_timeout": f"{lock_timeout}s"}
    if parallelism is not None:
        options["parallelism"] = parallelism
    return options


def show_options() -> Options:
    """`terraform show PLAN`: one JSON document on one line. Read it from the log file, not line by line."""
    return {"json": FLAG}


def validate_options() -> Options:
    """`terraform validate`: one JSON document."""
    return {"json": FLAG}
