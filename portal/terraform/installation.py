"""Find the Terraform binary and, where there is one, a folder with providers; write the CLI
configuration.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from portal.terraform.errors import TerraformMissing
from portal.terraform.mirrors import Mirror, find_mirror

MINIMUM = (1, 6)
INSTALL = "Install Terraform 1.6 or newer from https://developer.hashicorp.com/terraform/install"


@dataclass(frozen=True, slots=True)
class Installation:
    """What runs Terraform here: the binary, its version ("1.11.4"), its platform and where providers come
    from.

    `mirror` is None when providers are downloaded from the registry. `cli_config` goes into
    TF_CLI_CONFIG_FILE.
    """

    binary: Path
    version: str
    platform: str
    mirror: Mirror | None
    cli_config: Path


def find_terraform(configured: str | None = None) -> tuple[Path, str, str]:
    """(binary, version, platform such as "linux_amd64").

    `configured` is a path or a name to look up in PATH; default `terraform`. Errors: `TerraformMissing`,
    one line.
    """
    wanted = configured or "terraform"
    found = shutil.which(wanted)
    if found is None:
        where = f"at {wanted}" if configured else "in PATH"
        raise TerraformMissing(f"There is no Terraform {where}. {INSTALL}, or set GATEHOUSE_TERRAFORM to it.")
    binary = Path(found).absolute()
    version, platform = _version(binary, binary.stat().st_mtime_ns)
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < MINIMUM:
        raise TerraformMissing(f"{binary} is Terraform {version}, which is too old. {INSTALL}.")
    return binary, version, platform


@lru_cache(maxsize=8)
def _version(binary: Path, _changed: int) -> tuple[str, str]:
    """Asked once per binary and modification time: starting Terraform costs some 40 ms."""
    environment = {
        "PATH": os.defpath,
        "HOME": os.devnull,
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": os.devnull,
    }
    try:
        answer = subprocess.run(
            [str(binary), "version", "-json"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=True,
        )
        facts = json.loads(answer.stdout)
        return str(facts["terraform_version"]), str(facts["platform"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise TerraformMissing(f"{binary} does not answer like Terraform. {INSTALL}.") from error


def install(
    folder: Path,
    *,
    terraform: str | None = None,
    mirror: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Installation:
    """Find everything and write the CLI configuration into `folder` (created if need be).

    `terraform` and `mirror` are the settings' values, if any; `environ` defaults to this process's
    environment and is only searched for hints (HOME, XDG folders, GATEHOUSE_*), never handed on. Errors:
    `TerraformMissing`.
    """
    known = os.environ if environ is None else environ
    binary, version, platform = find_terraform(terraform or known.get("GATEHOUSE_TERRAFORM"))
    found = find_mirror(mirror or known.get("GATEHOUSE_PROVIDER_MIRROR"), platform=platform, environ=known)
    own = None if found else existing_cli_config(known)
    config = own or write_cli_config(folder, found)
    return Installation(binary, version, platform, found, config)


def existing_cli_config(environ: Mapping[str, str]) -> Path | None:
    """An administrator's own configuration that says where providers come from (a network mirror, say)."""
    home = environ.get("HOME")
    named = environ.get("TF_CLI_CONFIG_FILE")
    candidates = [Path(named)] if named else []
    if home:
        candidates.append(Path(home) / ".terraformrc")
    for path in candidates:
        try:
            if "provider_installation" in path.read_text():
                return path
        except (OSError, UnicodeDecodeError):
            continue
    return None


def write_cli_config(folder: Path, mirror: Mirror | None) -> Path:
    """Write `folder`/terraform.rc and return its path.

    With a mirror: providers come from it, and only those it lacks from the registry. Without: from the
    registry, kept in a cache beside the file.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = ["disable_checkpoint = true"]
    if mirror is None:
        cache = folder / "providers"
        cache.mkdir(exist_ok=True, mode=0o700)
        lines.append(f"plugin_cache_dir = {_quoted(cache)}")
    else:
        known = ", ".join(json.dumps(name) for name in sorted(mirror.providers))
        lines += [
            "provider_installation {",
            "  filesystem_mirror {",
            f"    path    = {_quoted(mirror.path)}",
            '    include = ["registry.terraform.io/*/*"]',
            "  }",
            "  direct {",
            f"    exclude = [{known}]",
            "  }",
            "}",
        ]
    path = folder / "terraform.rc"
    # Several workers may start at once: each writes its own copy, the rename decides.
    draft = folder / f".terraform.rc.{os.getpid()}"
    draft.write_text("\n".join(lines) + "\n")
    draft.replace(path)
    return path


def _quoted(path: Path) -> str:
    # HCL strings are JSON strings, except that ${ and %{ begin a template.
    return json.dumps(str(path), ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
