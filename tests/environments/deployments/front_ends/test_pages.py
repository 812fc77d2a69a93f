"""The Front ends tab and its API: who sees it, what an upload says when it is wrong, who presses what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from environments.changes.models import Change
from environments.deployments.front_ends.models import FrontEndRelease
from environments.models import Environment, Tenant
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from tests.environments.deployments.front_ends.conftest import FIRST, SECOND, Site, zipped

SignIn = Callable[[User], Client]


def address(environment: Environment, name: str = "front_ends", *args: object) -> str:
    return reverse(f"deployments:{name}", args=[environment.tenant.slug, environment.slug, *args])


def form(site: Site, content: bytes | None = None, **other: Any) -> dict[str, Any]:
    file = SimpleUploadedFile("dist.zip", zipped(FIRST) if content is None else content)
    return {"front_end": "module.bucket.aws_s3_bucket.this", "file": file, "label": "v1", **other}


def test_upload_propose_put_and_roll_back_through_the_pages(
    site: Site, sign_in: SignIn, operator: User
) -> None:
    client, here = sign_in(operator), address(site.environment)
    page = client.get(here)
    assert site.bucket in page.content.decode()
    assert "The portal has put nothing here yet" in page.content.decode()
    answer = client.post(here, form(site, reason="first"))
    change = Change.objects.get()
    assert answer.headers["Location"] == reverse("changes:detail", args=[change.uuid])
    site.scene.drive(change)
    shown = client.get(answer.headers["Location"]).content.decode()
    assert "assets/index-aaaa1111.js" in shown
    site.put(SECOND, label="v2")
    page = client.get(here).content.decode()
    assert "Release 2 is in force" in page
    release = FrontEndRelease.objects.get(number=1)
    back = address(site.environment, "front_end_rollback", release.pk)
    assert back in page
    question = client.get(back).content.decode()
    assert "This is the last good one" in question
    answer = client.post(back, {"reason": "it is broken"})
    asked = Change.objects.order_by("-pk")[0]
    assert (asked.priority, asked.reason) == (-10, "it is broken")
    assert site.scene.drive(asked).status == "succeeded"
    assert site.content == FIRST
    # Pressed again on what is in force: the page says so.
    assert "in force already" in client.get(back).content.decode()


def test_what_is_wrong_stands_at_its_field(
    site: Site, sign_in: SignIn, operator: User, settings: Any
) -> None:
    client, here = sign_in(operator), address(site.environment)
    for data, words in (
        (form(site, b"no zip"), "no zip that can be read"),
        (form(site, zipped({"a/../../x": ""})), "does not stay inside"),
        (form(site, front_end="aws_s3_bucket.data"), "Select a valid choice"),
        ({"front_end": "module.bucket.aws_s3_bucket.this"}, "This field is required"),
    ):
        answer = client.post(here, data)
        assert answer.status_code == 400
        assert words in re.sub(r"\s+", " ", answer.content.decode())
    settings.FRONT_END_MAX_BYTES = 10
    assert client.post(here, form(site, b"x" * 100_000)).status_code == 413
    assert not FrontEndRelease.objects.exists()
    assert not Change.objects.exists()


def test_the_csrf_token_is_asked_for(site: Site, operator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    assert client.post(address(site.environment), form(site)).status_code == 403
    assert not FrontEndRelease.objects.exists()


def test_who_sees_and_who_may(
    site: Site, sign_in: SignIn, viewer: User, outsider: User, operator: User
) -> None:
    here = address(site.environment)
    assert Client().get(here).status_code == 302
    assert sign_in(outsider).get(here).status_code == 404
    page = sign_in(viewer).get(here)
    assert "This needs one of these roles" in page.content.decode()
    refused = sign_in(viewer).post(here, form(site))
    assert refused.status_code == 403
    assert AuditEvent.objects.filter(action="change.request", outcome="refused").exists()
    assert sign_in(operator).put(here).status_code == 405
    site.upload(FIRST)
    back = address(site.environment, "front_end_rollback", FrontEndRelease.objects.get().pk)
    assert sign_in(viewer).post(back).status_code == 403
    assert sign_in(outsider).get(back).status_code == 404
    other = address(site.environment, "front_end_rollback", 99999)
    assert sign_in(operator).get(other).status_code == 404


def test_an_environment_without_front_ends_says_how_they_come(
    tenant: Tenant, sign_in: SignIn, viewer: User
) -> None:
    place = Environment.objects.create(tenant=tenant, slug="bare", name="bare", environment_class="staging")
    page = sign_in(viewer).get(address(place)).content.decode()
    assert "No front ends here" in page


@pytest.fixture
def machine(api: Callable[..., APIClient], operator: User) -> APIClient:
    return api(operator)


def test_the_api_uploads_lists_and_goes_back(site: Site, machine: APIClient) -> None:
    here = reverse("api:front_ends", args=[site.environment.key])
    made = []
    for files in (FIRST, SECOND):
        file = SimpleUploadedFile("dist.zip", zipped(files))
        answer = machine.post(here, {"file": file, "label": "from CI"}, format="multipart")
        assert answer.status_code == 201, answer.content
        made.append(answer.json())
        site.scene.drive(Change.objects.get(uuid=made[-1]["id"]))
    details = machine.get(reverse("api:change", args=[made[1]["id"]])).json()["details"]
    assert (details["release"], details["previous"], details["step"]) == (2, 1, "done")
    [found] = machine.get(here).json()["results"]
    assert [(row["number"], row["in_force"], row["last_good"]) for row in found["releases"]] == [
        (2, True, False),
        (1, False, True),
    ]
    back = reverse("api:front_end_rollback", args=[site.environment.key])
    answer = machine.post(back, {"number": 1, "reason": "broken"}, format="json")
    assert (answer.status_code, answer.json()["kind"]) == (201, "front_end")
    for data, field in (
        ({"number": 9}, "number"),
        ({"number": 1, "front_end": "other"}, "front_end"),
        ({}, "number"),
    ):
        refused = machine.post(back, data, format="json")
        assert (refused.status_code, field in json.dumps(refused.json())) == (400, True)
    refused = machine.post(here, {"file": SimpleUploadedFile("x.zip", b"x")}, format="multipart")
    assert (refused.status_code, "file" in json.dumps(refused.json())) == (400, True)
