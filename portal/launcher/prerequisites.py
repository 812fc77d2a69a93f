"""What must be on this machine, found out before anything slow begins. Each lack is one clear line."""

import socket
import urllib.error
import urllib.request
from pathlib import Path

from portal.launcher.configuration import Configuration
from portal.launcher.errors import Stop
from portal.terraform.errors import TerraformMissing
from portal.terraform.installation import existing_cli_config, find_terraform
from portal.terraform.mirrors import find_mirror

PROVIDER = "registry.terraform.io/hashicorp/aws"
REGISTRY = "https://registry.terraform.io/.well-known/terraform.json"
SANDBOX_PORT = 5005


def check_terraform(configuration: Configuration) -> str:
    """The version of Terraform. Errors: `Stop` when there is none, or no way to its provider."""
    environ = configuration.environ
    try:
        _, version, platform = find_terraform(environ.get("GATEHOUSE_TERRAFORM"))
    except TerraformMissing as missing:
        raise Stop(str(missing)) from None
    mirror = find_mirror(environ.get("GATEHOUSE_PROVIDER_MIRROR"), platform=platform, environ=environ)
    if mirror is not None and PROVIDER in mirror.providers:
        return version
    if existing_cli_config(environ) is None and not _answers(REGISTRY):
        raise Stop(
            "Terraform's provider hashicorp/aws is neither in a folder of this machine nor can"
            " registry.terraform.io be reached. Connect to the internet, or set GATEHOUSE_PROVIDER_MIRROR"
            " to a folder made with: terraform providers mirror"
        )
    return version


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - a constant https address
            return True
    except (OSError, urllib.error.URLError):
        return False


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def check_port(configuration: Configuration) -> None:
    """Errors: `Stop` when another program listens on PORT."""
    if not port_is_free(configuration.port, configuration.host):
        raise Stop(
            f"Port {configuration.port} is taken by another program."
            f" Choose another, for example: PORT={configuration.port + 1} script/server"
        )


def choose_sandbox_port(data: Path) -> int:
    """The sandbox's port: the same at every start (addresses in Terraform's state name it), if it is free."""
    remembered = data / "sandbox-port"
    wanted = int(remembered.read_text()) if remembered.exists() else SANDBOX_PORT
    if not port_is_free(wanted):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            wanted = probe.getsockname()[1]
    remembered.write_text(f"{wanted}\n")
    return wanted
