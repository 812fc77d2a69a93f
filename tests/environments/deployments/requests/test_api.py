"""Asking through the API, once per key; services and their images."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from environments.changes.models import Change
from environments.deployments import actions
from environments.deployments.asked import repeated
from environments.deployments.ci.token_actions import issue_deploy_token
from environments.deployments.models import DeploymentPart, RequestKey, ServiceStatus
from portal.audit.models import AuditEvent
from tests.cast import by
from tests.environments.deployments.requests.conftest import craft

pytestmark = pytest.mark.django_db

DIGEST = "sha256:" + "ef" * 32
LINK = {"title": "CI", "url": "https://ci.example.com/1"}


def post(client, url, body, key=None):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(url, body, format="json", headers=headers)


def test_one_service_with_its_fields_beside_it(place, operator, api):
    body = {
        "service": place.name("api"),
        "image": "v2",
        "environment": {"LOG_LEVEL": "debug"},
        "links": [LINK],
    }
    body |= {"reason": "nightly", "strategy": "canary", "strategy_options": {"canary_percent": 10}}
    answer = post(api(operator), f"{place.api}/deployments/", body)
    assert answer.status_code == 201, answer.content
    change = Change.objects.get(uuid=answer.json()["id"])
    assert change.deployment.strategy == "canary"
    assert change.links == [LINK]
    assert DeploymentPart.objects.get().wanted == {"image": "v2", "environment": {"LOG_LEVEL": "debug"}}


def test_several_services_share_an_image_unless_they_name_one(place, operator, api):
    services = [{"service": "ws"}, {"service": "api", "image": DIGEST, "cpu": 512, "memory": 1024}]
    answer = post(api(operator), f"{place.api}/deployments/", {"services": services, "image": "v2"})
    assert answer.status_code == 201, answer.content
    first, second = DeploymentPart.objects.all()
    assert (first.service, first.wanted["image"]) == (place.name("api"), DIGEST)
    assert (second.service, second.wanted["image"]) == (place.name("ws"), "v2")


def test_restart_scale_and_promote(place, staging, operator, api):
    client = api(operator)
    answer = post(client, f"{place.api}/deployments/restart/", {"services": ["api", "ws"]})
    assert (answer.status_code, DeploymentPart.objects.count()) == (201, 2)
    answer = post(client, f"{place.api}/deployments/scale/", {"service": "api", "desired": 3, "maximum": 6})
    assert answer.status_code == 201
    assert DeploymentPart.objects.latest("pk").wanted == {"desired": 3, "maximum": 6}
    body = {"from_environment": staging.environment.key, "services": ["api"], "strategy": "rolling"}
    answer = post(client, f"{place.api}/deployments/promote/", body)
    assert answer.status_code == 201, answer.content
    assert Change.objects.get(uuid=answer.json()["id"]).deployment.promoted_from == staging.environment


@pytest.mark.parametrize(
    ("path", "body", "field"),
    (
        ("", {}, "services"),
        ("", {"service": "nobody", "image": "v2"}, "service"),
        ("", {"service": "api"}, "image"),
        ("", {"service": "api", "image": "no image!"}, "image"),
        ("", {"service": "api", "image": "v2", "services": [{"service": "ws"}]}, "services"),
        ("", {"services": [{"service": "api"}], "image": "v2", "cpu": 512}, "cpu"),
        ("", {"services": [{"service": "api", "image": "v2", "cpu": 1}]}, "services.0.cpu"),
        ("", {"services": "api"}, "services"),
        ("", {"services": [{"service": "api"}] * 21}, "services"),
        ("", {"service": "api", "image": "v2", "cpu": 10**40}, "cpu"),
        (
            "",
            {"service": "api", "image": "v2", "environment": {"LOG_LEVEL": {"a": 1}}},
            "environment.LOG_LEVEL",
        ),
        ("", {"service": "api", "image": "v2", "environment": {"OTHER": "x"}}, "environment.OTHER"),
        ("", {"service": "api", "image": "v2", "environment": [1]}, "environment"),
        ("", {"service": "api\x00", "image": "v2"}, "service"),
        (
            "",
            {"service": "api", "image": "v2", "before_task": {"command": ["a\x00"]}},
            "before_task.command.0",
        ),
        ("", {"service": "api", "image": "v2", "before_task": {"command": "x"}}, "before_task.command"),
        ("", {"service": "api", "image": "v2", "before_task": []}, "before_task"),
        ("", {"service": "api", "image": "v2", "strategy": "magic"}, "strategy"),
        ("", {"service": "api", "image": "v2", "strategy_options": {"x": 1}}, "strategy_options"),
        ("", {"service": "api", "image": "v2", "bake_seconds": -1}, "bake_seconds"),
        ("", {"service": "api", "image": "v2", "start": "at"}, "start_at"),
        ("restart/", {"services": []}, "services"),
        ("restart/", {"services": [["api"]]}, "services.0"),
        ("scale/", {"service": "api"}, "desired"),
        ("scale/", {"service": "api", "desired": "many"}, "desired"),
        ("promote/", {"from_environment": "nowhere.at-all"}, "from_environment"),
        ("promote/", {"from_environment": "triflow.production"}, "source"),
    ),
)
def test_what_is_wrong_is_named_by_its_field(place, operator, api, path, body, field):
    answer = post(api(operator), f"{place.api}/deployments/{path}", body)
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["errors"]
    assert not Change.objects.exists()


# --- the key ---------------------------------------------------------------------------------------


def test_the_same_key_gets_the_same_change(place, operator, api):
    body = {"service": "api", "image": "v2"}
    first = post(api(operator), f"{place.api}/deployments/", body, key="run-1")
    again = post(api(operator), f"{place.api}/deployments/", body, key="run-1")
    other = post(api(operator), f"{place.api}/deployments/", body, key="run-2")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    assert Change.objects.count() == 2
    # Neither the key nor what was asked can be read from the row.
    assert "run-1" not in str(RequestKey.objects.values_list())


def test_a_key_is_of_one_environment_and_of_one_day(place, staging, operator, api):
    body = {"service": "api", "image": "v2"}
    first = post(api(operator), f"{place.api}/deployments/", body, key="run")
    elsewhere = post(api(operator), f"{staging.api}/deployments/", body, key="run")
    assert elsewhere.status_code == 201
    RequestKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    later = post(api(operator), f"{place.api}/deployments/", body, key="run")
    assert later.status_code == 201
    assert len({first.json()["id"], elsewhere.json()["id"], later.json()["id"]}) == 3
    assert RequestKey.objects.filter(environment=place.environment).count() == 1


def test_a_key_used_for_something_else_is_refused(place, operator, api):
    post(api(operator), f"{place.api}/deployments/", {"service": "api", "image": "v2"}, key="run")
    answer = post(api(operator), f"{place.api}/deployments/", {"service": "api", "image": "v3"}, key="run")
    assert answer.status_code == 409
    assert "used here for another request" in answer.json()["detail"]
    assert Change.objects.count() == 1


def test_wrong_input_does_not_use_up_the_key(place, operator, api):
    body = {"service": "api", "image": "no image!"}
    assert post(api(operator), f"{place.api}/deployments/", body, key="run").status_code == 400
    body["image"] = "v2"
    assert post(api(operator), f"{place.api}/deployments/", body, key="run").status_code == 201


def test_whoever_may_not_ask_learns_nothing_by_a_key(place, operator, viewer, api):
    body = {"service": "api", "image": "v2"}
    post(api(operator), f"{place.api}/deployments/", body, key="run")
    assert post(api(viewer), f"{place.api}/deployments/", body, key="run").status_code == 403


def test_the_same_request_twice_at_one_moment_is_one_change(place, operator):
    """The second one has not seen the first when it looked; the database has."""
    wanted = [actions.Asked("api", image="v2")]

    def ask(on_made):
        return actions.request_deployment(
            by=by(operator), environment=place.environment, services=wanted, on_made=on_made
        )

    def late(on_made):
        repeated.once(by(operator), place.environment, "run", {"image": "v2"}, ask)
        return ask(on_made)

    change, now = repeated.once(by(operator), place.environment, "run", {"image": "v2"}, late)
    assert (now, Change.objects.get()) == (False, change)


def test_another_integrity_error_is_not_taken_for_a_repetition(place, operator):
    def ask(on_made):
        raise IntegrityError("something else")

    with pytest.raises(IntegrityError):
        repeated.once(by(operator), place.environment, "run", {}, ask)


# --- who -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    (
        ("", {"service": "api", "image": "v2"}),
        ("restart/", {"service": "api"}),
        ("scale/", {"service": "api", "desired": 3}),
        ("promote/", {"from_environment": "triflow.staging"}),
    ),
)
def test_who_may_not(place, staging, viewer, auditor, outsider, api, client, path, body):
    url = f"{place.api}/deployments/{path}"
    for person in (viewer, auditor):
        answer = post(api(person), url, body)
        assert answer.status_code == 403
        assert "This needs one of these roles" in answer.json()["detail"]
    assert AuditEvent.objects.filter(action="change.request", outcome="refused").count() == 2
    assert post(api(outsider), url, body).status_code == 404
    assert client.post(url, body).status_code == 401
    assert not Change.objects.exists()


def test_a_deploy_token_asks_and_reads_services_here_alone(place, staging, operator, client):
    _token, plain = issue_deploy_token(by=by(operator), environment=place.environment, name="ci", days=1)
    headers = {"Authorization": f"Token {plain}"}
    body = {"service": "api", "image": "v2"}

    def ask(url):
        return client.post(url, body, content_type="application/json", headers=headers).status_code

    assert ask(f"{place.api}/deployments/") == 201
    assert ask(f"{staging.api}/deployments/") == 404
    assert ask(f"{place.api}/deployments/restart/") == 403
    assert client.get(f"{place.api}/services/", headers=headers).status_code == 200
    assert client.get(f"{staging.api}/services/", headers=headers).status_code == 404


def test_a_source_that_may_not_be_seen_is_none(place, other_tenant, operator, api):
    foreign = craft(other_tenant, "foreign")
    body = {"from_environment": foreign.environment.key}
    answer = post(api(operator), f"{place.api}/deployments/promote/", body)
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"from_environment": ["There is no such environment."]}


# --- services --------------------------------------------------------------------------------------


def test_services_with_the_last_look(place, viewer, outsider, api):
    ServiceStatus.objects.create(
        environment=place.environment,
        service_arn=place.arn("api"),
        service=place.name("api"),
        status="ACTIVE",
        running=2,
        desired=2,
        taken_at=timezone.now(),
        error="The permission ecs:DescribeServices is missing.",
    )
    first, second = api(viewer).get(f"{place.api}/services/").json()["results"]
    assert (first["service"], first["key"], first["strategies"]) == (
        place.name("api"),
        "api",
        ["rolling", "canary"],
    )
    assert (first["last_look"]["running"], first["last_look"]["minimum"]) == (2, None)
    assert "ecs:DescribeServices" in first["last_look"]["error"]
    assert second["last_look"] is None
    assert api(outsider).get(f"{place.api}/services/").status_code == 404
    assert api(viewer).get(f"{place.api}/services/none/images/").status_code == 404


def test_images_without_an_account(place, viewer, api):
    place.environment.account = None
    place.environment.save()
    assert api(viewer).get(f"{place.api}/services/api/images/").status_code == 409
