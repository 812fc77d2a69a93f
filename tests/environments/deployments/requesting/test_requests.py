"""Asking for a deployment, a restart, a scaling, a promotion, a rollback: done, refused, recorded, sent."""

from __future__ import annotations

import pytest
from django.http import Http404

from environments.changes.models import Change
from environments.deployments import actions
from environments.deployments.actions import Asked
from environments.deployments.models import Deployment, DeploymentPart
from environments.models import Environment
from environments.runs.models import Output
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, InvalidInput, NotAllowed
from tests.cast import by
from tests.environments.deployments import crafted
from tests.environments.deployments.requesting.conftest import made

pytestmark = pytest.mark.django_db


def deploy(environment, user, **options):
    return actions.request_deployment(
        by=by(user), environment=environment, services=[Asked("api", image="v2")], **options
    )


def restart(environment, user):
    return actions.request_restart(by=by(user), environment=environment, services=[Asked("api")])


def scale(environment, user):
    return actions.request_scale(by=by(user), environment=environment, services=[Asked("api", desired=4)])


def promote(environment, user):
    source = Environment.objects.filter(slug="staging").first() or made(
        environment.tenant, "staging", "staging", "api"
    )
    return actions.request_promotion(by=by(user), environment=environment, source=source)


def good(environment, status="succeeded"):
    """A deployment of the api that came out as approved."""
    change = Change.objects.create(environment=environment, kind="deployment", title="v1", status=status)
    record = Deployment.objects.create(change=change)
    DeploymentPart.objects.create(
        deployment=record,
        position=0,
        address="x",
        service_arn=crafted.service_arn("api"),
        service="api",
        cluster_arn=crafted.CLUSTER,
        container="api",
        outcome="succeeded",
        registered_arn=crafted.revision("api", 1),
        digest=crafted.OLD,
        tag="v1",
    )
    return record


def roll_back(environment, user):
    return actions.request_rollback(by=by(user), environment=environment, deployment=good(environment))


ACTS = [deploy, restart, scale, promote, roll_back]


@pytest.mark.parametrize("act", ACTS)
def test_it_is_written_recorded_and_sent_after_commit(
    act, production, operator, sent, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as later:
        change = act(production, operator)
        assert sent == []
    for callback in later:
        callback()
    assert sent == [(str(change.uuid), "deployments")]
    change = Change.objects.get(pk=change.pk)
    assert (change.status, change.requested_by) == ("requested", operator)
    assert change.deployment.parts.get().service_arn == crafted.service_arn("api")
    events = AuditEvent.objects.filter(target_id=str(change.uuid), outcome="done")
    assert {event.action for event in events} == {"change.request", "deployment.request"}
    told = events.get(action="deployment.request").after
    assert told["act"] == change.deployment.act
    assert told["services"][0]["service"] == "api"


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ["viewer", "approver", "auditor", "admin"])
def test_who_may_not_is_refused_with_the_reason(act, role, production, request, operator):
    with pytest.raises(NotAllowed, match="Operator"):
        act(production, request.getfixturevalue(role))
    assert not Change.objects.filter(status="requested").exists()
    refused = AuditEvent.objects.get(outcome="refused")
    assert (refused.action, refused.environment) == ("change.request", "production")


@pytest.mark.parametrize("act", ACTS)
def test_who_may_not_see_it_learns_nothing(act, production, outsider):
    with pytest.raises(Http404):
        act(production, outsider)
    assert not Change.objects.filter(status="requested").exists()


@pytest.mark.parametrize("act", ACTS)
def test_without_an_account_nothing_can_be_deployed(act, production, operator):
    Environment.objects.filter(pk=production.pk).update(account=None)
    with pytest.raises(Conflict, match="no AWS account"):
        act(Environment.objects.get(pk=production.pk), operator)


def test_the_parts_go_in_the_blueprints_order(production, operator):
    asked = [Asked("ws", image="v2"), Asked(crafted.service_arn("api"), image="v2")]
    change = actions.request_deployment(by=by(operator), environment=production, services=asked)
    assert [part.service for part in change.deployment.parts.all()] == ["api", "ws"]
    assert change.title == "Deploy v2 to api and ws in TriFlow AI production"


def test_a_rollback_goes_ahead_of_the_queue_to_exactly_what_was_proven(production, operator):
    change = roll_back(production, operator)
    part = change.deployment.parts.get()
    assert change.priority == -10
    assert part.wanted == {"revision": crafted.revision("api", 1), "image": crafted.OLD, "tag": "v1"}
    assert change.title == "Roll back api in TriFlow AI production"


def test_nothing_is_rolled_back_to_what_was_never_proven(production, operator):
    record = good(production)
    record.parts.update(outcome="rolled_back")
    with pytest.raises(Conflict, match="nothing to go back to"):
        actions.request_rollback(by=by(operator), environment=production, deployment=record)


def test_nor_to_a_deployment_of_another_environment(production, operator, tenant):
    record = good(made(tenant, "staging", "staging", "api"))
    with pytest.raises(InvalidInput, match="another environment"):
        actions.request_rollback(by=by(operator), environment=production, deployment=record)


def test_a_promotion_needs_a_service_of_the_same_name_there(production, operator, tenant):
    source = made(tenant, "staging", "staging", "web")
    with pytest.raises(InvalidInput, match="no service in common"):
        actions.request_promotion(by=by(operator), environment=production, source=source)
    with pytest.raises(InvalidInput, match="no service called"):
        actions.request_promotion(by=by(operator), environment=production, source=source, services=["api"])


def test_a_promotion_takes_nothing_from_another_tenant(production, operator, other_tenant):
    source = made(other_tenant, "staging", "staging", "api")
    with pytest.raises(Http404):
        actions.request_promotion(by=by(operator), environment=production, source=source)


def test_the_record_names_variables_and_never_their_values(production, operator):
    asked = [Asked("api", image="v2", environment={"LOG_LEVEL": "hunter2-and-more"})]
    change = actions.request_deployment(by=by(operator), environment=production, services=asked)
    events = [str(event.after) for event in AuditEvent.objects.filter(target_id=str(change.uuid))]
    assert any("LOG_LEVEL" in text for text in events)
    assert not any("hunter2" in text for text in events)
    assert "hunter2" not in str(Change.objects.filter(pk=change.pk).values())


def test_the_blueprints_task_goes_before_a_new_image_only(production, operator):
    task = {"name": "migrate", "command": ["alembic", "upgrade", "head"]}
    row = Output.objects.get(environment=production, name="deployments")
    row.value["api"]["before"] = task
    row.save()
    change = deploy(production, operator)
    assert change.deployment.before_task == {**task, "service": "api", "container": "api"}
    settings = [Asked("api", environment={"LOG_LEVEL": "DEBUG"})]
    plain = actions.request_deployment(by=by(operator), environment=production, services=settings)
    assert plain.deployment.before_task == {}
    without = deploy(production, operator, before_task={})
    assert without.deployment.before_task == {}
