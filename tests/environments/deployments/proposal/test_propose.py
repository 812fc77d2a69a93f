"""Proposing: what would happen is read from AWS, stored, and alters nothing there."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from environments.changes.models import Change, LogChunk
from environments.deployments import preflight
from portal.audit.models import AuditEvent
from tests.environments.deployments.asked import configure, deploy, out_of_band, proposed, restart, scale

pytestmark = pytest.mark.django_db


def test_a_new_image_for_two_services(scene, tenant, operator):
    place = scene.environment(tenant)
    api, ws = place.services["api"], place.services["ws"]
    revisions = len(place.client("ecs").list_task_definitions(familyPrefix=api.family)["taskDefinitionArns"])
    change = scene.drive(deploy(place, operator), "awaiting_approval")
    assert change.title == f"Deploy v2 to {api.name} and {ws.name} in TriFlow AI production"
    assert change.summary == f"{api.name}: latest to v2; {ws.name}: latest to v2"
    row = proposed(change, api.name)
    assert row.rendered["containerDefinitions"][0]["image"] == api.image("v2")
    assert (row.digest, row.tag, row.running_arn) == (api.digests["v2"], "v2", api.task_definition_arn)
    assert row.running_digest == api.digests["v1"]
    assert [one["path"] for one in row.difference] == ["image"]
    assert row.image["commits"]["url"].startswith("https://github.com/")
    assert {one["state"] for one in row.preflight} == {"ok"}
    facts = change.proposal.facts
    assert (facts["mode"], facts["services"]) == ("deploy", [api.name, ws.name])
    assert facts["images"][api.name]["digest"] == api.digests["v2"]
    assert facts["touches_iam"] is facts["touches_network"] is facts["destroys"] is False
    # Nothing was altered.
    after = place.client("ecs").list_task_definitions(familyPrefix=api.family)["taskDefinitionArns"]
    assert len(after) == revisions
    assert place.described("api")["taskDefinition"] == api.task_definition_arn


def test_an_identical_proposal_keeps_its_digest_and_votes(scene, tenant, operator, approver):
    place = scene.environment(tenant, ("api",))
    change = scene.drive(deploy(place, operator), "awaiting_approval")
    first = change.proposal
    again = scene.drive(deploy(place, operator), "awaiting_approval")
    assert again.proposal.digest == first.digest
    settings = {"LOG_LEVEL": "DEBUG", "EXTRA": "1"}
    one = scene.drive(configure(place, operator, "api", environment=settings), "awaiting_approval")
    backwards = dict(reversed(settings.items()))
    two = scene.drive(configure(place, operator, "api", environment=backwards), "awaiting_approval")
    other = scene.drive(
        configure(place, operator, "api", environment={**settings, "EXTRA": "2"}), "awaiting_approval"
    )
    assert one.proposal.digest == two.proposal.digest != other.proposal.digest != first.digest


def test_what_runs_already_ends_without_changes(scene, tenant, operator):
    place = scene.environment(tenant, ("api",), production=False)
    service = place.services["api"]
    out_of_band(place, "api", image=service.image("v1"))
    change = scene.drive(deploy(place, operator, "v1"))
    assert (change.status, change.summary) == ("no_changes", f"{service.name}: stays as it is")
    assert proposed(change, service.name).rendered == {}


def test_settings_pin_the_image_that_runs(scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    service = place.services["api"]
    change = scene.drive(
        configure(place, operator, "api", environment={"LOG_LEVEL": "DEBUG"}, memory=1024),
        "awaiting_approval",
    )
    row = proposed(change, service.name)
    assert row.rendered["containerDefinitions"][0]["image"] == service.image("v1")
    assert row.rendered["memory"] == "1024"
    assert change.proposal.facts["mode"] == "configure"
    told = {one["path"]: (one["container"], one["owner"], one["source"]) for one in row.difference}
    assert told["environment.LOG_LEVEL"] == ("api", "deployment", "request")
    assert told["memory"] == ("", "deployment", "request")


def test_it_is_rendered_from_the_services_revision_and_never_from_the_familys_latest(scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    service = place.services["api"]
    stray = json.loads(json.dumps(service.definition))
    stray["containerDefinitions"][0]["command"] = ["somebody", "elses"]
    place.client("ecs").register_task_definition(**stray)
    change = scene.drive(deploy(place, operator), "awaiting_approval")
    rendered = proposed(change, service.name).rendered
    assert not rendered["containerDefinitions"][0].get("command")
    assert rendered["tags"] == service.definition["tags"]


def test_terraforms_newest_revision_comes_along_and_is_named_terraforms(scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    service = place.services["api"]
    newer = json.loads(json.dumps(service.definition))
    newer["containerDefinitions"][0]["environment"].append({"name": "REGION_NAME", "value": "seoul"})
    arn = place.client("ecs").register_task_definition(**newer)["taskDefinition"]["taskDefinitionArn"]
    place.declare(task_definition=arn)
    change = scene.drive(deploy(place, operator), "awaiting_approval")
    rows = {one["path"]: one for one in proposed(change, service.name).difference}
    assert (rows["environment.REGION_NAME"]["owner"], rows["environment.REGION_NAME"]["source"]) == (
        "terraform",
        "terraform",
    )
    assert change.summary == f"{service.name}: latest to v2, 1 more field"


def test_no_value_reaches_facts_log_or_audit(scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    settings = {"LOG_LEVEL": "canary-4711-value", "EXTRA": "postgresql://app:canary-4712@db/app"}
    change = scene.drive(configure(place, operator, "api", environment=settings), "awaiting_approval")
    told = [
        change.summary,
        str(change.proposal.facts),
        str(change.proposal.base),
        *(chunk.text for chunk in LogChunk.objects.filter(change=change)),
        *(str((event.after, event.detail)) for event in AuditEvent.objects.all()),
    ]
    assert not [text for text in told if "canary" in text]
    rows = {row["path"]: row for row in proposed(change, place.services["api"].name).difference}
    assert rows["environment.EXTRA"]["after"] == "(secret)"
    assert rows["environment.LOG_LEVEL"]["after"] == "canary-4711-value"


def test_all_that_cannot_work_is_told_at_once(scene, tenant, operator, monkeypatch):
    place = scene.environment(tenant)

    def run(access, environment, targets):
        return [
            [preflight.target.failing("image", f"no image of {target.service.name}", "Push it.")]
            for target in targets
        ]

    monkeypatch.setattr(preflight, "run", run)
    change = scene.drive(deploy(place, operator))
    assert (change.status, change.error_kind) == ("failed", "tool")
    assert change.error_message.count("no image of") == 2
    assert change.error_hint == "Push it."


def test_an_image_that_is_not_there_fails_with_the_remedy(scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    change = scene.drive(deploy(place, operator, "v99"))
    assert change.status == "failed"
    assert "has no image v99" in change.error_message
    assert "pushed" in change.error_hint


def test_a_service_that_is_gone_fails_clearly(scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    place.client("ecs").delete_service(
        cluster=place.built.cluster_arn, service=place.services["api"].name, force=True
    )
    change = scene.drive(deploy(place, operator))
    assert change.status == "failed"
    assert "no running service" in change.error_message


def test_a_cancel_while_it_is_proposed_alters_nothing(scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    change = deploy(place, operator)
    Change.objects.filter(pk=change.pk).update(cancel_requested_at=timezone.now())
    after = scene.drive(change)
    assert (after.status, after.proposal) == ("cancelled", None)


def test_restarts_ask_nobody_and_warn_of_a_tag(scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    change = scene.drive(restart(place, operator), "approved")
    row = proposed(change, place.services["api"].name)
    assert (row.rendered, row.digest) == ({}, place.services["api"].digests["v1"])
    assert change.proposal.facts["mode"] == "restart"
    assert "names its image by a tag" in change.proposal.facts["warnings"][0]


@pytest.mark.parametrize(
    ("counts", "status", "mode"),
    [
        ({"desired": 4}, "approved", "scale_out"),
        ({"minimum": 2}, "approved", "scale_out"),
        ({"desired": 1}, "awaiting_approval", "scale_in"),
        ({"desired": 4, "minimum": 0}, "awaiting_approval", "scale_in"),
        ({"desired": 7, "maximum": 8}, "awaiting_approval", "scale_in"),
        ({"maximum": 3}, "awaiting_approval", "scale_in"),
    ],
)
def test_only_more_tasks_within_the_maximum_ask_nobody(counts, status, mode, scene, tenant, operator):
    # Two tasks, between one and five.
    place = scene.environment(tenant, ("api",))
    change = scene.drive(scale(place, operator, "api", **counts), "approved", "awaiting_approval")
    assert (change.status, change.proposal.facts["mode"]) == (status, mode)


@pytest.mark.parametrize(
    ("counts", "words"),
    [({"desired": 6}, "at most 5"), ({"desired": 0}, "at least 1"), ({"minimum": 6}, "above its maximum")],
)
def test_counts_that_would_not_last_fail_with_the_remedy(counts, words, scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    change = scene.drive(scale(place, operator, "api", **counts))
    assert change.status == "failed"
    assert words in change.error_message
    assert change.error_hint


def test_the_same_counts_end_without_changes(scene, tenant, operator):
    place = scene.environment(tenant, ("api",))
    assert scene.drive(scale(place, operator, "api", desired=2, maximum=5)).status == "no_changes"
