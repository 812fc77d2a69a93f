"""Requesting a run on its page and through the API; what the environment's tabs show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from environments.changes.models import Change
from environments.models import Environment, Resource
from environments.runs.models import (
    DriftCheck,
    Output,
    ResourceProgress,
    StateLock,
    StateVersion,
    TerraformRun,
)
from portal.audit.models import AuditEvent
from tests.environments.runs.crafted import defined, planned, row
from tests.environments.runs.speaking import document

pytestmark = pytest.mark.django_db

HERE = "/environments/triflow/production"
API = "/api/v1/environments/triflow.production"
FORM = {"mode": "apply", "definition": "1", "reason": "Because of OPS-7", "start": "on_approval"}


@pytest.fixture
def place(tenant, operator):
    place = Environment.objects.create(
        tenant=tenant, slug="production", name="production", environment_class="production", blueprint="steps"
    )
    defined(place, operator)
    return place


# --- request ---------------------------------------------------------------------------------------


def test_request_makes_the_change_and_leads_to_it(place, operator, sign_in):
    form = {
        **FORM,
        "ticket": "OPS-7",
        "commit": "https://git.example.com/c/1",
        "ci": "https://ci.example.com/9",
        "targets": "aws_s3_bucket.a\nmodule.x.aws_s3_bucket.b",
    }
    answer = sign_in(operator).post(f"{HERE}/runs/new/", form)
    change = Change.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/changes/{change.uuid}/")
    assert [link["url"] for link in change.links] == [
        "https://git.example.com/c/1",
        "https://ci.example.com/9",
    ]
    assert change.terraform_run.targets == ["aws_s3_bucket.a", "module.x.aws_s3_bucket.b"]
    event = AuditEvent.objects.get(action="change.request")
    assert (event.actor_name, event.outcome) == ("Operator", "done")


@pytest.mark.parametrize(
    ("wrong", "words"),
    (
        ({"mode": "explode"}, "Select a valid choice"),
        ({"definition": "9"}, "Select a valid choice"),
        ({"commit": "javascript:x"}, "This is no address"),
        ({"targets": "not an address!"}, "is no resource address"),
        ({"start": "at"}, "Give a time exactly when"),
        ({"start": "at", "start_at": "2020-01-01T10:00"}, "This time is past"),
        ({"mode": "destroy"}, "Type triflow.production to destroy"),
        ({"mode": "destroy", "confirm_name": "production"}, "Type triflow.production to destroy"),
    ),
)
def test_wrong_input_is_told_and_nothing_typed_is_lost(place, operator, sign_in, wrong, words):
    answer = sign_in(operator).post(f"{HERE}/runs/new/", {**FORM, **wrong})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert words in text
    assert "Because of OPS-7" in text
    assert not Change.objects.exists()


def test_a_destroy_of_production_with_its_name_and_the_refused_snapshot(place, operator, approver, sign_in):
    form = {**FORM, "mode": "destroy", "confirm_name": "triflow.production", "skip_final_snapshot": "on"}
    assert sign_in(operator).post(f"{HERE}/runs/new/", form).status_code == 302
    assert TerraformRun.objects.get().skip_final_snapshot is True
    # The choice has no meaning for an apply and is not kept there.
    sign_in(operator).post(f"{HERE}/runs/new/", {**FORM, "skip_final_snapshot": "on"})
    assert TerraformRun.objects.order_by("pk").last().skip_final_snapshot is False


def test_approvers_read_of_the_refused_snapshot(place, operator, approver, sign_in):
    change = planned(
        place, operator, [row("aws_db_instance.x", "delete")], mode="destroy", skip_final_snapshot=True
    )
    assert "Their data is gone for good" in sign_in(approver).get(f"/changes/{change.uuid}/").content.decode()


def test_who_may_not_request(place, viewer, outsider, sign_in, client):
    answer = sign_in(viewer).post(f"{HERE}/runs/new/", FORM)
    assert answer.status_code == 403
    assert AuditEvent.objects.filter(action="change.request", outcome="refused").count() == 1
    shown = sign_in(viewer).get(f"{HERE}/runs/new/")
    assert "Plan it" not in shown.content.decode()
    assert sign_in(outsider).post(f"{HERE}/runs/new/", FORM).status_code == 404
    assert client.post(f"{HERE}/runs/new/", FORM).status_code == 302
    assert not Change.objects.exists()


def test_a_retired_environment_takes_no_request(place, operator, sign_in):
    place.retired_at = timezone.now()
    place.save()
    assert sign_in(operator).post(f"{HERE}/runs/new/", FORM).status_code == 409


def test_request_through_the_api(place, operator, viewer, outsider, api):
    body = {"mode": "plan", "reason": "look", "links": [{"title": "CI", "url": "https://ci.example.com/1"}]}
    answer = api(operator).post(f"{API}/runs/", body, format="json")
    assert answer.status_code == 201
    assert answer.json()["kind"] == "terraform_run"
    assert answer.json()["details"]["mode"] == "plan"
    assert api(viewer).post(f"{API}/runs/", body, format="json").status_code == 403
    assert api(outsider).post(f"{API}/runs/", body, format="json").status_code == 404
    assert api(operator).get(f"{API}/runs/").status_code == 405
    for wrong, field in (
        ({"mode": "explode"}, "mode"),
        ({"mode": "apply", "targets": ["!"]}, "targets"),
        ({"mode": "destroy"}, "confirm_name"),
        ({"mode": "apply", "links": [{"title": "x", "url": "javascript:x"}]}, "links.0.url"),
        ({"mode": "apply", "start": "at"}, "start_at"),
    ):
        refused = api(operator).post(f"{API}/runs/", wrong, format="json")
        assert refused.status_code == 400, wrong
        assert field in refused.json()["errors"], wrong
    assert (
        api(operator).post(f"{API}/runs/", {"mode": "apply", "definition": 99}, format="json").status_code
        == 404
    )


# --- resources and outputs -------------------------------------------------------------------------


def test_resources_are_searched_and_filtered(place, viewer, outsider, sign_in):
    Resource.objects.bulk_create(
        Resource(
            environment=place,
            address=f"aws_{kind}.n{n}",
            type=f"aws_{kind}",
            name=f"n{n}",
            provider_id=f"id-{kind}-{n}",
        )
        for kind in ("s3_bucket", "db_instance")
        for n in range(60)
    )
    client = sign_in(viewer)

    def found(**query):
        return [one.address for one in client.get(f"{HERE}/resources/", query).context["page"].rows]

    assert len(found()) == 100
    assert len(found(type="aws_db_instance")) == 60
    assert found(q="id-s3_bucket-7") == ["aws_s3_bucket.n7"]
    assert found(q="nothing like it") == []
    cursor = client.get(f"{HERE}/resources/").context["page"].older
    assert len(found(cursor=cursor)) == 20
    assert sign_in(outsider).get(f"{HERE}/resources/").status_code == 404


def test_sensitive_outputs_are_never_shown(place, viewer, admin, sign_in, api):
    Output.objects.create(environment=place, name="url", type="string", value="https://here.example.com")
    Output.objects.create(
        environment=place, name="password", type="string", value="hunter2-hunter2", sensitive=True
    )
    for person in (viewer, admin):
        text = sign_in(person).get(f"{HERE}/outputs/").content.decode()
        assert "https://here.example.com" in text
        assert "hunter2" not in text
        answer = api(person).get(f"{API}/outputs/")
        assert "hunter2" not in answer.content.decode()
        assert {one["name"]: one["value"] for one in answer.json()["results"]} == {
            "password": None,
            "url": "https://here.example.com",
        }


# --- state versions --------------------------------------------------------------------------------


def version(place, number, content):
    return StateVersion.objects.create(
        environment=place,
        number=number,
        lineage="x",
        serial=number,
        size=len(content),
        md5="0",
        content=content,
        written_by="Somebody",
    )


def test_versions_are_listed_and_compared(place, viewer, outsider, sign_in, api):
    version(place, 1, document())
    version(place, 2, document(serial=2))
    client = sign_in(viewer)
    text = client.get(f"{HERE}/states/").content.decode()
    assert "Somebody" in text
    assert "states/1/download" not in text
    assert client.get(f"{HERE}/states/compare/?a=1&b=2").status_code == 200
    for query in ("a=1", "a=1&b=9", "a=²&b=1", "a=x&b=1", f"a=1&b={'9' * 30}"):
        assert client.get(f"{HERE}/states/compare/?{query}").status_code == 404, query
    assert [one["number"] for one in api(viewer).get(f"{API}/state-versions/").json()["results"]] == [2, 1]
    assert sign_in(outsider).get(f"{HERE}/states/").status_code == 404


def test_a_download_is_the_admins_and_is_recorded(place, admin, operator, outsider, sign_in):
    version(place, 1, document())
    url = f"{HERE}/states/1/download/"
    answer = sign_in(admin).post(url)
    assert answer.content == document()
    assert "attachment" in answer["Content-Disposition"]
    assert AuditEvent.objects.filter(action="state.download", outcome="done").count() == 1
    assert sign_in(operator).post(url).status_code == 403
    assert AuditEvent.objects.filter(action="state.download", outcome="refused").count() == 1
    assert sign_in(outsider).post(url).status_code == 404
    assert sign_in(admin).get(url).status_code == 405
    assert sign_in(admin).post(f"{HERE}/states/7/download/").status_code == 409


def test_a_lock_is_released_by_an_admin_with_a_reason(place, admin, operator, outsider, sign_in, monkeypatch):
    change = planned(place, operator, [])
    StateLock.objects.create(environment=place, lock_id="l", change=change, holder="Run it")
    url = f"{HERE}/states/unlock/"
    assert "Release the lock" in sign_in(admin).get(f"{HERE}/states/").content.decode()
    assert "Release the lock" not in sign_in(operator).get(f"{HERE}/states/").content.decode()
    assert sign_in(operator).post(url, {"comment": "x"}).status_code == 403
    assert sign_in(outsider).post(url, {"comment": "x"}).status_code == 404
    assert "how you know" in sign_in(admin).post(url, {"comment": " "}, follow=True).content.decode()
    assert StateLock.objects.exists()
    # Not while its Terraform is known to run, whoever asks.
    monkeypatch.setattr("environments.runs.states.store.tool_alive", lambda change: True)
    assert sign_in(admin).post(url, {"comment": "I am sure"}).status_code == 409
    monkeypatch.setattr("environments.runs.states.store.tool_alive", lambda change: None)
    assert sign_in(admin).post(url, {"comment": "The machine is gone"}).status_code == 302
    assert not StateLock.objects.exists()
    assert (
        AuditEvent.objects.get(action="state.force_unlock", outcome="done").after["reason"]
        == "The machine is gone"
    )
    assert sign_in(admin).post(url, {"comment": "again"}).status_code == 409


# --- drift -----------------------------------------------------------------------------------------


def applied(place, operator):
    change = planned(place, operator, [])
    Change.objects.filter(pk=change.pk).update(status="succeeded", finished_at=timezone.now())


def drift(place, **values):
    DriftCheck.objects.update_or_create(environment=place, defaults=values)


def test_each_state_of_the_drift_page_and_its_card(place, operator, viewer, sign_in, api):
    client = sign_in(viewer)

    def page():
        return client.get(f"{HERE}/drift/").content.decode()

    def card():
        return client.get(f"{HERE}/").content.decode()

    assert "Nothing is applied here" in page()
    applied(place, operator)
    assert "Not checked yet" in page()
    now = timezone.now()
    drift(place, verdict="clean", taken_at=now)
    assert "No drift" in page()
    assert f"{HERE}/drift/" in card()
    rows = [{"address": "aws_s3_bucket.a", "action": "update", "attributes": []}]
    drift(place, verdict="drifted", rows=rows, count=201, taken_at=now)
    assert "aws_s3_bucket.a" in page()
    assert "201 in all" in page()
    assert "201 resources drifted" in card()
    assert "aws_s3_bucket.a" in card()
    # An error stands beside the old verdict, which stays.
    drift(place, error="ExpiredToken", error_at=now, taken_at=now - timedelta(days=2))
    text = page()
    assert "ExpiredToken" in text
    assert "201 resources drifted" in text
    assert "stale" in text
    assert "older" in card()
    shown = api(viewer).get(f"{API}/drift/").json()
    assert (shown["verdict"], shown["count"], shown["error"]) == ("drifted", 201, "ExpiredToken")


def test_a_look_is_asked_for_by_operators(place, operator, viewer, outsider, sign_in, api, client):
    url = f"{HERE}/drift/check/"
    assert sign_in(operator).post(url).status_code == 302
    assert DriftCheck.objects.get().due_at <= timezone.now()
    assert AuditEvent.objects.filter(action="drift.check", outcome="done").count() == 1
    assert sign_in(viewer).post(url).status_code == 403
    assert sign_in(outsider).post(url).status_code == 404
    assert sign_in(operator).get(url).status_code == 405
    assert client.post(url).status_code == 302
    assert api(operator).post(f"{API}/drift/").status_code == 202
    assert api(viewer).post(f"{API}/drift/").status_code == 403


# --- progress --------------------------------------------------------------------------------------


def test_the_live_fragment_shows_what_is_being_done(place, operator, viewer, sign_in):
    change = planned(place, operator, [row(f"aws_s3_bucket.n{n}", "create") for n in range(5)])
    Change.objects.filter(pk=change.pk).update(status="executing", started_at=timezone.now())
    for n, state in enumerate(("done", "failed", "running")):
        ResourceProgress.objects.create(
            change=change,
            address=f"aws_s3_bucket.n{n}",
            action="create",
            state=state,
            ended_at=None if state == "running" else timezone.now(),
        )
    client = sign_in(viewer)
    stamp = client.get(f"/changes/{change.uuid}/").context["stamp"]
    answer = client.get(f"/changes/{change.uuid}/live/", {"stamp": stamp})
    assert answer.status_code == 200
    assert (answer.context["progress_done"], answer.context["progress_total"]) == (1, 5)
    text = answer.content.decode()
    assert all(f"aws_s3_bucket.n{n}" in text for n in range(3))
    assert "aws_s3_bucket.n4" not in text
