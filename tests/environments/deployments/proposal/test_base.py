"""Before the start everything is read again: what moved is proposed again, what cannot be read waits."""

from __future__ import annotations

import pytest
from django.utils import timezone

from environments.changes import execution
from environments.changes.kinds import Verdict
from environments.changes.models import Change
from environments.deployments.proposal import bases
from environments.deployments.rollout import executing
from environments.models import AwsAccount
from portal.accounts.principals import worker
from portal.aws import ecs
from portal.aws.errors import AwsError
from tests.environments.deployments.asked import deploy, moved_tag, out_of_band, registered, restart, scale
from tests.environments.deployments.scene import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def executed(monkeypatch):
    """Changes whose execution began; nothing of it is done."""
    found = []

    def execute(work):
        found.append(work.change.pk)

    monkeypatch.setattr(executing, "execute", execute)
    monkeypatch.setattr("environments.deployments.kind.verifying.verify", _fine)
    return found


def _fine(work):
    return Verdict(ok=True, summary="not looked at")


def approved(scene, change, approver):
    change = scene.drive(change, "awaiting_approval", "approved")
    return fresh(change) if change.status == "approved" else scene.approve(change, approver)


def advance(change):
    execution.advance(str(change.uuid), by=worker("test worker"))
    return fresh(change)


def test_what_stands_is_executed(scene, tenant, operator, approver, executed):
    place = scene.environment(tenant)
    change = approved(scene, deploy(place, operator), approver)
    assert bases.moved(change) is None
    assert advance(change).status == "succeeded"
    assert executed == [change.pk]


def test_a_deployment_past_the_portal_is_proposed_again_and_voids_the_votes(
    scene, tenant, operator, approver, executed
):
    place = scene.environment(tenant, ("api",))
    service = place.services["api"]
    change = approved(scene, deploy(place, operator), approver)
    arn = out_of_band(place, "api", command=["by", "hand"])
    after = advance(change)
    assert (after.status, after.proposal.number, executed) == ("awaiting_approval", 2, [])
    note = after.transitions.filter(to_status="proposing").last().note
    assert f"{service.name} runs {arn.rpartition('/')[2]} by now" in note
    assert after.proposal.base["services"][service.arn]["running"] == arn


def test_a_new_deployment_of_the_same_revision_keeps_the_votes(scene, tenant, operator, approver, executed):
    place = scene.environment(tenant, ("api",))
    change = approved(scene, deploy(place, operator), approver)
    place.client("ecs").update_service(
        cluster=place.built.cluster_arn, service=place.services["api"].name, forceNewDeployment=True
    )
    after = advance(change)
    assert (after.status, after.proposal.number, executed) == ("approved", 2, [])
    assert "deployed anew outside" in after.transitions.filter(to_status="proposing").last().note


def test_other_counts_matter_to_a_scaling_only(scene, tenant, operator, approver):
    place = scene.environment(tenant, ("api",))
    deployed = approved(scene, deploy(place, operator), approver)
    scaled = approved(scene, scale(place, operator, "api", desired=4), approver)
    bounded = approved(scene, scale(place, operator, "api", minimum=2), approver)
    name = place.services["api"].name
    place.client("ecs").update_service(cluster=place.built.cluster_arn, service=name, desiredCount=3)
    assert bases.moved(deployed) is None
    assert "is set to 3 tasks by now, not 2" in bases.moved(scaled)
    assert bases.moved(bounded) is None
    place.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{place.built.cluster_name}/{name}",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=1,
        MaxCapacity=9,
    )
    assert "maximum" in bases.moved(bounded)


def test_a_secret_that_got_another_version(scene, tenant, operator, approver):
    place = scene.environment(tenant, ("api",))
    change = approved(scene, restart(place, operator), approver)
    place.client("secretsmanager").put_secret_value(
        SecretId=place.services["api"].secret_arn, SecretString="another"
    )
    assert "A secret of" in bases.moved(change)


def test_terraform_or_the_blueprint_moved_on(scene, tenant, operator, approver):
    place = scene.environment(tenant, ("api",))
    change = approved(scene, deploy(place, operator), approver)
    place.declare(task_definition=registered(place, "api", command=["newer"]))
    assert "Terraform made a new task definition" in bases.moved(change)
    place.declare(alarms=["another"])
    assert "What the blueprint declares" in bases.moved(change)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("account_id", "999999999999", "AWS account has changed"),
        ("role_arn", "arn:aws:iam::1:role/other", "role that reaches"),
        ("external_id", "other", "role that reaches"),
    ],
)
def test_another_account_or_way_into_it(field, value, words, scene, tenant, operator, approver):
    place = scene.environment(tenant, ("api",))
    change = approved(scene, deploy(place, operator), approver)
    AwsAccount.objects.filter(pk=place.account.pk).update(**{field: value})
    assert words in bases.moved(fresh(change))


def refusing(monkeypatch, *, permanent):
    def describe_services(access, cluster, names):
        raise AwsError("DescribeServices: no", code="No", permanent=permanent, hint="Mend it.")

    monkeypatch.setattr(ecs, "describe_services", describe_services)


def test_while_aws_cannot_be_read_it_waits_and_is_not_executed_blindly(
    scene, tenant, operator, approver, executed, monkeypatch
):
    place = scene.environment(tenant, ("api",))
    change = approved(scene, deploy(place, operator), approver)
    with monkeypatch.context() as away:
        refusing(away, permanent=False)
        after = advance(change)
    assert (after.status, after.lease_until, executed) == ("approved", None, [])
    assert timezone.now() < after.due_at
    assert advance(after).status == "succeeded"


def test_what_aws_refuses_for_good_fails_with_its_hint(
    scene, tenant, operator, approver, executed, monkeypatch
):
    place = scene.environment(tenant, ("api",))
    change = approved(scene, deploy(place, operator), approver)
    refusing(monkeypatch, permanent=True)
    after = advance(change)
    assert (after.status, after.error_kind, after.error_hint, executed) == ("failed", "tool", "Mend it.", [])


def test_a_service_that_left_the_inventory(scene, tenant, operator, approver):
    place = scene.environment(tenant, ("api",))
    change = approved(scene, deploy(place, operator), approver)
    place.environment.resources.filter(type="aws_ecs_service").delete()
    assert "The inventory holds" in bases.moved(change)


def test_a_tag_that_is_moved_meanwhile_does_not_change_what_was_asked(scene, tenant, operator, approver):
    place = scene.environment(tenant, ("api",))
    service = place.services["api"]
    change = approved(scene, deploy(place, operator), approver)
    moved_tag(place, "api", "v2", "v3")
    out_of_band(place, "api", command=["by", "hand"])
    after = advance(change)
    assert after.proposal.number == 2, after.error_message
    assert after.proposal.facts["images"][service.name]["digest"] == service.digests["v2"]
    assert Change.objects.get(pk=change.pk).title.startswith("Deploy v2")
