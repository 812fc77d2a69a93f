"""Asking for images and settings on the page."""

from __future__ import annotations

import pytest
from django.utils import timezone
from django.utils.html import escape

from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.deployments.models import Deployment, DeploymentPart, ServiceStatus
from portal.audit.models import AuditEvent
from tests.environments.deployments.requests.conftest import craft

pytestmark = pytest.mark.django_db

DIGEST = "sha256:" + "ab" * 32
FORM = {
    "s0-chosen": "on",
    "s0-image": "v2",
    "strategy": "rolling",
    "before": "declared",
    "start": "on_approval",
    "reason": "Because of OPS-7",
}


def text_of(answer):
    return answer.content.decode()


def test_a_request_makes_the_change_and_leads_to_it(place, operator, sign_in):
    form = {
        **FORM,
        "s0-cpu": "512",
        "s0-memory": "1024",
        "s0-variables": "LOG_LEVEL=a=b",
        "s1-chosen": "on",
        "s1-picked": DIGEST,
        "ticket": "OPS-7",
        "commit": "https://git.example.com/c/1",
        "bake_minutes": "3",
    }
    answer = sign_in(operator).post(f"{place.pages}/new/", form)
    change = Change.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/changes/{change.uuid}/")
    first, second = change.deployment.parts.all()
    assert (first.service, second.service) == (place.name("api"), place.name("ws"))
    assert first.wanted == {"image": "v2", "cpu": 512, "memory": 1024, "environment": {"LOG_LEVEL": "a=b"}}
    assert second.wanted == {"image": DIGEST}
    assert change.deployment.bake_seconds == 180
    assert change.deployment.before_task["command"] == ["alembic", "upgrade", "head"]
    assert (change.reason, change.ticket) == ("Because of OPS-7", "OPS-7")
    assert AuditEvent.objects.filter(action="deployment.request").count() == 1


def test_what_is_typed_goes_before_what_is_picked(place, operator, sign_in):
    sign_in(operator).post(f"{place.pages}/new/", {**FORM, "s0-picked": DIGEST})
    assert DeploymentPart.objects.get().wanted == {"image": "v2"}


def test_settings_of_a_service_that_is_not_chosen_are_not_asked(place, operator, sign_in):
    form = {**FORM, "s1-image": "v9", "s1-cpu": "no number"}
    assert sign_in(operator).post(f"{place.pages}/new/", form).status_code == 302
    assert DeploymentPart.objects.get().service == place.name("api")


@pytest.mark.parametrize(
    ("wrong", "words"),
    (
        ({"s0-chosen": ""}, "Choose at least one service"),
        ({"s0-image": "", "s0-unset": ""}, "Name an image of"),
        ({"s0-image": "no image!"}, "is no tag, digest or image reference"),
        ({"s0-cpu": "300"}, "Fargate knows no task with 300 CPU units"),
        ({"s0-variables": "LOG_LEVEL"}, "is not NAME=value"),
        ({"s0-variables": "SECRET=x"}, "The blueprint keeps environment.SECRET"),
        ({"s0-variables": "LOG_LEVEL=a\nLOG_LEVEL=b"}, "LOG_LEVEL is set twice"),
        ({"strategy": "linear"}, "Select a valid choice"),
        ({"strategy": "canary", "canary_percent": "200"}, "Use a number from 0.1 to 100"),
        ({"s1-chosen": "on", "s1-image": "v1", "strategy": "canary"}, "is deployed by rolling only"),
        ({"before": "other", "before_command": "x 'y"}, "A quotation mark is not closed"),
        ({"before": "other"}, "Give the command as a list of texts"),
        ({"bake_minutes": "2000"}, "less than or equal to 1440"),
        ({"commit": "javascript:x"}, "This is no address"),
        ({"start": "at"}, "Give a time exactly when"),
    ),
)
def test_wrong_input_is_told_and_nothing_typed_is_lost(place, operator, sign_in, wrong, words):
    typed = {"s0-image": "v2-typed", "ticket": "OPS-77", "s0-unset": "LOG_LEVEL"}
    typed |= {name: value for name, value in wrong.items() if value and name not in ("start", "strategy")}
    answer = sign_in(operator).post(f"{place.pages}/new/", {**FORM, **typed, **wrong})
    assert answer.status_code == 400
    text = text_of(answer)
    assert words in text
    kept = {"Because of OPS-7", *(value for name, value in typed.items() if wrong.get(name) != "")}
    assert all(escape(one) in text for one in kept - {"on", "other"})
    assert not Change.objects.exists()


def test_a_picked_digest_survives_a_wrong_field(place, operator, sign_in):
    form = {**FORM, "s0-image": "", "s0-picked": DIGEST, "commit": "javascript:x"}
    text = text_of(sign_in(operator).post(f"{place.pages}/new/", form))
    assert f'name="s0-picked" value="{DIGEST}"' in text
    assert f"chosen={DIGEST.replace(':', '%3A')}" in text


def test_another_command_before_it(place, operator, sign_in):
    form = {**FORM, "before": "other", "before_command": "manage migrate 'one two'"}
    sign_in(operator).post(f"{place.pages}/new/", form)
    assert Deployment.objects.get().before_task["command"] == ["manage", "migrate", "one two"]
    sign_in(operator).post(f"{place.pages}/new/", {**FORM, "before": "none"})
    assert Deployment.objects.order_by("pk").last().before_task == {}


def test_what_the_address_names_is_chosen_and_what_runs_is_told_with_its_age(place, operator, sign_in):
    ServiceStatus.objects.create(
        environment=place.environment,
        service_arn=place.arn("ws"),
        service=place.name("ws"),
        images={"ws": {"image": "x:v1", "tag": "v1", "digest": DIGEST}},
        running=2,
        desired=3,
        taken_at=timezone.now(),
    )
    text = text_of(sign_in(operator).get(f"{place.pages}/new/?service={place.name('ws')}&reason=Hot+fix"))
    assert 'name="s1-chosen" id="id_s1-chosen" checked' in text
    assert 'id="id_s0-chosen" checked' not in text
    assert "2 of 3 tasks" in text
    assert "nobody has looked yet" in text
    assert "Hot fix" in text
    assert "Everything else of the task is Terraform&#x27;s" in text


def test_the_blueprint_decides_which_settings_are_asked(tenant, operator, sign_in):
    place = craft(tenant, "production", ("api",), deployment_owns=["image", "environment.*"])
    text = text_of(sign_in(operator).get(f"{place.pages}/new/"))
    assert 'name="s0-variables"' in text
    assert 'name="s0-cpu"' not in text
    assert "all environment variables" in text


def test_the_older_request_that_would_be_replaced_is_named(place, operator, sign_in):
    browser = sign_in(operator)
    browser.post(f"{place.pages}/new/", FORM)
    older = Change.objects.get()
    text = text_of(browser.get(f"{place.pages}/new/"))
    assert "Takes the place of" in text
    assert str(older.uuid) in text
    browser.post(f"{place.pages}/new/", {**FORM, "s0-image": "v3"})
    older.refresh_from_db()
    assert older.status in (Status.CANCELLED, Status.SUPERSEDED)


def test_enter_does_not_deploy_and_one_button_does(place, operator, sign_in):
    text = text_of(sign_in(operator).get(f"{place.pages}/new/"))
    assert "data-guard data-no-enter" in text
    assert text.count("button--primary") == 1


def test_who_may_not_request(place, viewer, outsider, sign_in, client):
    assert sign_in(viewer).post(f"{place.pages}/new/", FORM).status_code == 403
    assert AuditEvent.objects.filter(action="change.request", outcome="refused").count() == 1
    shown = text_of(sign_in(viewer).get(f"{place.pages}/new/"))
    assert "Propose it" not in shown
    assert "This needs one of these roles" in shown
    assert sign_in(outsider).get(f"{place.pages}/new/").status_code == 404
    assert sign_in(outsider).post(f"{place.pages}/new/", FORM).status_code == 404
    assert client.post(f"{place.pages}/new/", FORM).status_code == 302
    assert sign_in(viewer).delete(f"{place.pages}/new/").status_code == 405
    assert not Change.objects.exists()


def test_an_environment_without_account_or_services(place, tenant, operator, sign_in):
    empty = craft(tenant, "empty", ())
    assert "No services here" in text_of(sign_in(operator).get(f"{empty.pages}/new/"))
    place.environment.account = None
    place.environment.save()
    assert sign_in(operator).post(f"{place.pages}/new/", FORM).status_code == 409
