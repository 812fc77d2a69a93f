"""The state room through the API: the same acts with the same rules."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from environments.changes.models import Change
from environments.models import Environment
from environments.runs.models import StateEdit, StateLock
from portal.accounts.models import ApiToken
from tests.environments.runs.states import SECRET, body, keep, thing

pytestmark = pytest.mark.django_db
API = "/api/v1/environments/triflow.here/"


@pytest.fixture
def here(tenant):
    return Environment.objects.create(tenant=tenant, slug="here", name="here", environment_class="staging")


def test_comparing_two_versions(here, viewer, api):
    keep(here, thing("a"), thing("old"))
    keep(here, thing("a", "two"), {**thing("old"), "name": "new"}, thing("b"))
    answer = api(viewer).get(API + "state-versions/compare/?a=1&b=2").json()
    assert answer["same_lineage"] is True
    assert answer["counts"] == {"changed": 1, "moved": 1, "added": 1}
    assert [(row["kind"], row["address"], row["moved_from"]) for row in answer["results"]] == [
        ("changed", "terraform_data.a", ""),
        ("added", "terraform_data.b", ""),
        ("moved", "terraform_data.new", "terraform_data.old"),
    ]
    assert answer["results"][0]["attributes"][0]["after"] == "two"
    assert SECRET not in str(answer)
    for wrong in ("", "?a=1", "?a=1&b=9", "?a=x&b=y", "?a=-1&b=1", "?a=²&b=1"):
        assert api(viewer).get(API + "state-versions/compare/" + wrong).status_code == 404, wrong


def test_pages_of_a_large_comparison(here, viewer, api):
    keep(here)
    keep(here, *(thing(f"t{n:03}") for n in range(150)))
    client = api(viewer)
    first = client.get(API + "state-versions/compare/?a=1&b=2").json()
    assert (len(first["results"]), first["total"], first["next"]) == (100, 150, "100")
    second = client.get(API + "state-versions/compare/?a=1&b=2&after=100").json()
    assert (len(second["results"]), second["next"]) == (50, None)


def test_rolling_back(here, operator, viewer, outsider, api):
    keep(here, thing("a"))
    keep(here, thing("b"))
    path = API + "state-versions/1/rollback/"
    assert api(outsider).post(path, {"reason": "why"}, format="json").status_code == 404
    assert api(viewer).post(path, {"reason": "why"}, format="json").status_code == 403
    assert APIClient().post(path, {"reason": "why"}, format="json").status_code == 401
    assert api(operator).post(path, {}, format="json").status_code == 400
    assert (
        api(operator).post(API + "state-versions/9/rollback/", {"reason": "w"}, format="json").status_code
        == 400
    )
    assert not Change.objects.exists()
    answer = api(operator).post(path, {"reason": "why"}, format="json")
    assert answer.status_code == 201
    assert answer.json()["kind"] == "state_edit"
    assert answer.json()["details"]["version"] == 1


def test_importing_a_file_or_an_address(here, operator, api):
    client = api(operator)
    upload = {"file": SimpleUploadedFile("x.tfstate", body(thing("a"))), "reason": "why"}
    assert client.post(API + "state-imports/", upload, format="multipart").status_code == 201
    assert StateEdit.objects.get().content == body(thing("a"))
    wrong = {"file": SimpleUploadedFile("x.tfstate", b"{}"), "reason": "why"}
    answer = client.post(API + "state-imports/", wrong, format="multipart")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["file"])
    # No account to read it with.
    answer = client.post(API + "state-imports/", {"s3": "s3://bucket/key", "reason": "why"}, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["s3"])
    assert client.post(API + "state-imports/", {"reason": "why"}, format="json").status_code == 400
    assert client.post(API + "state-imports/", b"{", content_type="application/json").status_code == 400
    assert Change.objects.count() == 1


def test_a_file_larger_than_a_state_may_be(here, operator, api, settings):
    settings.STATE_MAX_BYTES = 1000
    upload = {"file": SimpleUploadedFile("x.tfstate", b"x" * 100_000), "reason": "why"}
    answer = api(operator).post(API + "state-imports/", upload, format="multipart")
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"


def test_locking_by_hand(here, operator, operator2, viewer, api):
    client = api(operator)
    assert client.get(API + "state-lock/").json() == {"lock": None}
    assert api(viewer).post(API + "state-lock/", {"reason": "x"}, format="json").status_code == 403
    answer = client.post(API + "state-lock/", {"reason": "Moving the database"}, format="json")
    assert answer.status_code == 201
    assert answer.json()["lock"]["by_hand"] is True
    assert answer.json()["lock"]["reason"] == "Moving the database"
    assert client.post(API + "state-lock/", {"reason": "again"}, format="json").status_code == 409
    assert api(operator2).delete(API + "state-lock/").status_code == 409
    assert api(viewer).get(API + "state-lock/").json()["lock"]["holder"] == "Operator"
    assert client.delete(API + "state-lock/").status_code == 204
    assert not StateLock.objects.exists()


def test_a_token_that_writes_is_issued_to_a_session_never_to_a_token(here, admin, operator, api):
    wanted = {"person": "operator", "hours": 2, "reason": "Repair"}
    refused = api(admin).post(API + "state-tokens/", wanted, format="json")
    assert refused.status_code == 403
    session = APIClient()
    session.force_login(admin)
    answer = session.post(API + "state-tokens/", wanted, format="json")
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    token = ApiToken.objects.get(environment_id="triflow.here")
    assert answer.json()["token"].startswith(f"ghs_{token.prefix}_")
    for wrong in ({"hours": 13}, {"person": "nobody"}, {"reason": " "}):
        assert session.post(API + "state-tokens/", {**wanted, **wrong}, format="json").status_code == 400
    assert ApiToken.objects.filter(environment_id="triflow.here").count() == 1
