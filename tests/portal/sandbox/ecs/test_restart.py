"""A rollout goes on where it was when the sandbox ends in the middle of it, saved or killed."""

from pathlib import Path

from portal.sandbox.testing import running_sandbox
from tests.portal.sandbox.ecs.site import Site, control


def test_a_rollout_goes_on_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running_sandbox(folder) as first:
        control(first, "/sandbox/ecs/pace", seconds=0.3)
        site = Site(first, "550000000000").build()
        site.serve("api")
        before = site.deploy("api", "v2")
        started = {task["taskArn"] for task in site.tasks("api")}
        assert len(started) == 4
        first.save()
        first.kill()
    with running_sandbox(folder) as second:
        site.sandbox = second
        assert site.described("api")["currentServiceDeployment"] == before["currentServiceDeployment"]
        found = site.until_over("api")
        assert found["status"] == "SUCCESSFUL"
        assert {task["taskArn"] for task in site.tasks("api")} < started
        assert {task["containers"][0]["imageDigest"] for task in site.tasks("api")} == {site.images["v2"]}
