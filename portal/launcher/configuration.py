"""What the environment and the `.env` file say about this start."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.launcher.errors import Stop

ROOT = Path(__file__).resolve().parent.parent.parent
LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")


@dataclass(frozen=True)
class Configuration:
    """`environ` is what children get; `data` the folder of everything that is kept."""

    root: Path
    data: Path
    host: str
    port: int
    sandbox: bool
    demo: bool
    environ: dict[str, str]

    @property
    def address(self) -> str:
        """Where people open the portal."""
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - compared only
        return f"http://{shown}:{self.port}"

    @property
    def logs(self) -> Path:
        """The folder of the processes' logs."""
        return self.data / "logs"


def read_dotenv(path: Path) -> dict[str, str]:
    """The assignments of a `.env` file, by the rules of the settings' own reader; {} when there is none."""
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for line in path.read_text().splitlines():
        match = LINE.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        name, value = match.groups()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        else:
            value = re.split(r"\s#", value, maxsplit=1)[0].rstrip()
        found[name] = value
    return found


def read_configuration(root: Path = ROOT, environ: Mapping[str, str] | None = None) -> Configuration:
    """The environment wins over `.env`. Errors: `Stop` for a PORT that is none."""
    merged = {**read_dotenv(root / ".env"), **(os.environ if environ is None else environ)}
    text = merged.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Stop(f"PORT is {text!r}, which is no port number (1 to 65535).")
    data = (root / merged.get("GATEHOUSE_DATA_DIR", "var")).resolve()
    production = truth(merged.get("GATEHOUSE_PRODUCTION"), default=False)
    sandbox = truth(merged.get("GATEHOUSE_SANDBOX"), default=not production)
    environ_of_children = {**merged, "PORT": text, "GATEHOUSE_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}
    if environ_of_children.pop("PYTHONDONTWRITEBYTECODE", ""):
        # Who wants no compiled files in the folders gets them elsewhere: without any, every process spends
        # seconds on compiling what the last one compiled.
        environ_of_children["PYTHONPYCACHEPREFIX"] = str(data / "compiled")
    return Configuration(
        root=root,
        data=data,
        host=merged.get("GATEHOUSE_HOST") or "127.0.0.1",
        port=int(text),
        # Somebody who names a sandbox has one running already.
        sandbox=sandbox and not merged.get("GATEHOUSE_SANDBOX_URL"),
        demo=truth(merged.get("GATEHOUSE_DEMO"), default=sandbox and not production),
        environ=environ_of_children,
    )


def truth(value: str | None, *, default: bool) -> bool:
    """A yes or no as people write it."""
    if value is None or not value.strip():
        return default
    return value.strip().lower() in ("1", "true", "yes", "on", "y")
