"""A rollout goes on where it was when the sandbox ends in the middle of it."""

from pathlib import Path

from portal.sandbox import pickling
from portal.sandbox.testing import GoldenSnapshot
from tests.portal.sandbox.ecs.site import Site, control
from tests.portal.sandbox.ecs.stage import ALARMS, BREAKER, Stage


def test_a_rollout_goes_on_in_another_process(own_site: Site, tmp_path: Path) -> None:
    own_site.serve("api")
    pace = control(own_site.sandbox, "/sandbox/ecs/pace")
    control(own_site.sandbox, "/sandbox/ecs/pace", seconds=1)
    try:
        before = own_site.deploy("api", "v2")
    finally:
        control(own_site.sandbox, "/sandbox/ecs/pace", **pace)
    started = {task["taskArn"] for task in own_site.tasks("api")}
    snapshot = GoldenSnapshot.take(own_site.sandbox, tmp_path / "snapshot")
    with snapshot.running() as second:
        own_site.sandbox = second
        assert own_site.described("api")["currentServiceDeployment"] == before["currentServiceDeployment"]
        assert own_site.until_over("api")["status"] == "SUCCESSFUL"
        running = own_site.tasks("api")
        assert {task["taskArn"] for task in running} < started
        assert {task["containers"][0]["imageDigest"] for task in running} == {own_site.images["v2"]}


def test_what_was_kept_in_the_middle_ends_as_the_original_does() -> None:
    stage = Stage.with_service(**BREAKER, **ALARMS)
    stage.deploy("oom:2")
    stage.after(3.5)
    kept: Stage = pickling.load(pickling.dump(stage))
    assert kept.state.rollouts[0].status == "IN_PROGRESS"
    kept.to(1_100)
    stage.until_over(stage.state.rollouts[0])
    stage.to(1_100)
    assert kept.state.rollouts[0].status == "ROLLBACK_SUCCESSFUL"
    assert kept.state == stage.state
