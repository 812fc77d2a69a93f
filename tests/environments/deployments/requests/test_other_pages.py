"""Restart, scale and promote on their pages."""

from __future__ import annotations

import pytest
from django.utils import timezone

from environments.changes.models import Change
from environments.deployments.models import Deployment, DeploymentPart, ServiceStatus
from portal.audit.models import AuditEvent
from tests.environments.deployments.requests.conftest import craft

pytestmark = pytest.mark.django_db

WHY = {"reason": "Because of OPS-8", "start": "on_approval"}
HOW = {**WHY, "strategy": "rolling", "before": "declared"}
DIGEST = "sha256:" + "cd" * 32


def text_of(answer):
    return answer.content.decode()


def seen(place, key, **values):
    return ServiceStatus.objects.create(
        environment=place.environment,
        service_arn=place.arn(key),
        service=place.name(key),
        taken_at=timezone.now(),
        **values,
    )


def test_restart(place, operator, sign_in):
    shown = text_of(sign_in(operator).get(f"{place.pages}/restart/?service={place.name('ws')}"))
    assert shown.count("button--primary") == 1
    assert shown.count(" checked") == 1
    answer = sign_in(operator).post(f"{place.pages}/restart/", {**WHY, "services": [place.arn("ws")]})
    change = Change.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/changes/{change.uuid}/")
    assert (change.deployment.act, change.reason) == ("restart", "Because of OPS-8")
    assert DeploymentPart.objects.get().service == place.name("ws")


@pytest.mark.parametrize(
    ("page", "form", "words"),
    (
        ("restart", WHY, "Choose at least one service"),
        ("restart", {**WHY, "services": ["arn:of:another"]}, "Select a valid choice"),
        ("scale", WHY, "Choose at least one service"),
        ("scale", {**WHY, "s0-desired": "-1"}, "greater than or equal to 0"),
        ("scale", {**WHY, "s0-desired": "9" * 30}, "less than or equal to 5000"),
        ("scale", {**WHY, "s0-minimum": "4", "s0-maximum": "2"}, "The minimum is above the maximum"),
        ("promote", HOW, "Nothing to promote from"),
    ),
)
def test_wrong_input_is_told(place, operator, sign_in, page, form, words):
    answer = sign_in(operator).post(f"{place.pages}/{page}/", form)
    assert answer.status_code == 400
    assert words in text_of(answer)
    assert page == "promote" or "Because of OPS-8" in text_of(answer)
    assert not Change.objects.exists()


def test_scale_tells_the_present_counts_and_asks_for_those_that_are_filled_in(place, operator, sign_in):
    seen(place, "api", running=2, desired=2, minimum=1, maximum=4)
    seen(place, "ws", running=1, desired=1)
    text = text_of(sign_in(operator).get(f"{place.pages}/scale/?service={place.name('ws')}"))
    assert "2 of 2 tasks" in text
    assert "(1 – 4)" in text
    assert "it did not scale by itself" in text
    # The service that was asked for stands first.
    assert text.index('id="s1-title"') < text.index('id="s0-title"')
    sign_in(operator).post(f"{place.pages}/scale/", {**WHY, "s0-desired": "3", "s0-maximum": "6"})
    part = DeploymentPart.objects.get()
    assert (part.service, part.wanted) == (place.name("api"), {"desired": 3, "maximum": 6})


def test_scaling_to_nothing_is_a_number_like_any_other(place, operator, sign_in):
    sign_in(operator).post(f"{place.pages}/scale/", {**WHY, "s1-desired": "0"})
    assert DeploymentPart.objects.get().wanted == {"desired": 0}


def test_promote_shows_both_digests_and_asks_for_the_source_s(place, staging, operator, sign_in):
    seen(staging, "api", images={"api": {"image": "x:v2", "tag": "v2", "digest": DIGEST}})
    seen(place, "api", images={"api": {"image": "x:v1", "tag": "v1", "digest": "sha256:" + "01" * 32}})
    text = text_of(sign_in(operator).get(f"{place.pages}/promote/?from=staging"))
    assert DIGEST in text
    assert "sha256:" + "01" * 32 in text
    assert text.count("button--primary") == 1
    form = {**HOW, "from": "staging", "services": [place.arn("api")]}
    answer = sign_in(operator).post(f"{place.pages}/promote/", form)
    assert answer.status_code == 302
    assert Deployment.objects.get().promoted_from == staging.environment
    part = DeploymentPart.objects.get()
    assert part.service == place.name("api")
    assert part.wanted["source"]["service"] == staging.name("api")


def test_promote_keeps_what_was_typed_and_unchecked(place, staging, operator, sign_in):
    form = {**HOW, "from": "staging", "services": [place.arn("ws")], "ci": "no address"}
    answer = sign_in(operator).post(f"{place.pages}/promote/", form)
    text = text_of(answer)
    assert answer.status_code == 400
    assert f'value="{place.arn("ws")}" checked' in text
    assert f'value="{place.arn("api")}" checked' not in text
    assert "Because of OPS-8" in text


def test_environments_of_other_tenants_are_no_source(place, other_tenant, operator, sign_in):
    foreign = craft(other_tenant, "foreign")
    text = text_of(sign_in(operator).get(f"{place.pages}/promote/?from={foreign.environment.slug}"))
    assert "Nothing to promote from" in text
    form = {**HOW, "from": foreign.environment.key, "services": [place.arn("api")]}
    assert sign_in(operator).post(f"{place.pages}/promote/", form).status_code == 400
    assert not Change.objects.exists()


@pytest.mark.parametrize("page", ("restart", "scale", "promote"))
def test_who_may_not(place, staging, viewer, outsider, sign_in, client, page):
    url = f"{place.pages}/{page}/"
    form = {**HOW, "services": [place.arn("api")], "s0-desired": "2", "from": "staging"}
    assert sign_in(viewer).post(url, form).status_code == 403
    assert AuditEvent.objects.filter(action="change.request", outcome="refused").count() == 1
    assert "button--primary" not in text_of(sign_in(viewer).get(url))
    assert sign_in(outsider).get(url).status_code == 404
    assert sign_in(outsider).post(url, form).status_code == 404
    assert client.get(url).status_code == 302
    assert sign_in(viewer).put(url).status_code == 405
    assert not Change.objects.exists()
