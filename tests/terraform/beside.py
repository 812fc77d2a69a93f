"""What stands in the sandbox beside a state file: the look of environments/runs, without a database."""

from __future__ import annotations

from pathlib import Path

from environments.runs.blueprint_sources import Sources
from environments.runs.live import groups, policies, public
from environments.runs.live.found import Extra, Landscape, Managed
from portal.aws.sessions import AccountAccess, forget_clients
from portal.sandbox.testing import RunningSandbox
from portal.terraform.state import read_state

REGION = "ap-northeast-2"


def beside(sandbox: RunningSandbox, account: str, root: Path, folder: str) -> list[Extra]:
    """Every extra, the worst first; `folder` is the blueprint's below `root`, with its state in it."""
    forget_clients()
    content = {
        path.relative_to(root).as_posix(): (path.read_bytes(), False)
        for path in root.rglob("*.tf")
        if ".terraform" not in path.parts
    }
    state = read_state((root / folder / "terraform.tfstate").read_bytes())
    landscape = Landscape(
        own=tuple(Managed(one.address, one.type, one.values) for one in state.managed),
        sources=Sources(content, folder),
        account_id=account,
        region=REGION,
    )
    # What the blueprint writes must be found, or the look would take every computed attribute as it is.
    for one in landscape.own:
        assert landscape.sources is not None
        assert landscape.sources.resource(one.address) is not None, one.address

    def reach(region: str) -> AccountAccess:
        role = f"arn:aws:iam::{account}:role/gatehouse"
        return AccountAccess("sandbox", account, role, "", region, sandbox.url)

    found: list[Extra] = []
    for looker in (groups, policies, public):
        found += looker.extras(landscape, reach)
    forget_clients()
    return sorted(found, key=lambda extra: -extra.risk)
