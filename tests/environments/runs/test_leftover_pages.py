"""Deciding about what an interrupted run left: on its page and through the API, each act and each refusal."""

from __future__ import annotations

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from environments.changes import dispatch
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.models import Environment
from environments.runs.models import Leftover, StateLock, TerraformRun
from portal.audit.models import AuditEvent
from tests.environments.runs.crafted import planned, row
from tests.environments.runs.leaving import ended, executing, left, told, written

pytestmark = pytest.mark.django_db

API = "/api/v1/environments/triflow.staging/leftovers/"
ACTS = ("import", "dismiss")
FORMS = {"import": {"resource_id": "id-a"}, "dismiss": {"reason": "It is gone."}}


@pytest.fixture
def place(tenant):
    return Environment.objects.create(
        tenant=tenant, slug="staging", name="staging", environment_class="staging", blueprint="steps"
    )


@pytest.fixture
def change(place, operator):
    """It left terraform_data.a, made, and terraform_data.b, only begun."""
    return left(place, operator, a="id-a", b="")


def one(change: Change, name: str = "a") -> Leftover:
    return change.leftovers.get(address=f"terraform_data.{name}")


def page_of(leftover: Leftover, act: str) -> str:
    return f"/changes/{leftover.change.uuid}/leftovers/{leftover.pk}/{act}/"


def states(change: Change) -> dict[str, str]:
    return {row.address[-1]: row.state for row in change.leftovers.all()}


# --- the page of the change ------------------------------------------------------------------------


def test_the_page_says_what_happened_who_held_the_lock_and_what_was_written(place, operator, sign_in):
    change = executing(place, operator, "terraform_data.a", "terraform_data.b")
    told(change, "terraform_data.a", "id-a")
    version = written(place, {}, change=change)
    change = ended(change)
    StateLock.objects.create(environment=place, change=change, lock_id="1", holder="Run it", fence=1)
    text = sign_in(operator).get(f"/changes/{change.uuid}/").content.decode()
    assert "Terraform was applying. Done: 1, failed: 0, stopped midway: 0, not begun: 1." in text
    assert "“Run it” holds the lock since" in text
    assert f"Its last state write was version {version.number}, serial {version.serial}" in text
    assert "Working out what it left" in text


def test_it_goes_on_looking_until_the_books_are_closed(place, operator, sign_in):
    change = ended(executing(place, operator, "terraform_data.a"))
    client = sign_in(operator)
    live = f"/changes/{change.uuid}/live/"
    stamp = client.get(live).context["stamp"]
    assert client.get(live, {"stamp": stamp}).status_code == 200
    TerraformRun.objects.filter(change=change).update(unreckoned=False)
    answer = client.get(live, {"stamp": stamp})
    assert answer.status_code == 286
    assert "Nothing was left outside the state" in answer.content.decode()


def test_how_the_lock_was_given_back_is_told_from_the_audit_log(place, operator, admin, sign_in):
    from environments.runs.credentials import issue
    from environments.runs.states import store as state
    from environments.runs.states.store import Writer
    from portal.accounts.principals import SYSTEM, Principal

    def story(end):
        change = executing(place, operator, "terraform_data.a")
        issue(change, fence=1, may_write=True)
        run = Principal(None, "worker", name=f"run {change.uuid}")
        writer = Writer(change.title, change, 1)
        state.lock(place, {"ID": f"lock-{change.pk}"}, writer=writer, by=run)
        end(ended(change), run, writer)
        return sign_in(operator).get(f"/changes/{change.uuid}/").content.decode()

    def itself(change, run, writer):
        state.unlock(place, lock_id=f"lock-{change.pk}", writer=writer, by=run)

    assert "Terraform gave it back itself at" in story(itself)
    assert "on proof that its process is dead" in story(lambda *_all: state.unlock_dead(place, by=SYSTEM))
    assert "Admin released it at" in story(
        lambda *_all: state.force_unlock(
            place, by=Principal(admin, "user", name="Admin"), reason="I pulled the plug"
        )
    )


@pytest.mark.parametrize(("who", "may"), (("operator", True), ("admin", True), ("viewer", False)))
def test_who_may_decide_finds_the_buttons_and_others_the_reason(change, who, may, request, sign_in):
    user = request.getfixturevalue(who)
    text = sign_in(user).get(f"/changes/{change.uuid}/").content.decode()
    assert "terraform_data.a" in text
    assert "id-a" in text
    assert ("Import them all" in text) is may
    assert (page_of(one(change), "dismiss") in text) is may
    assert ("This needs one of these roles" in text) is not may


def test_when_all_is_decided_the_next_step_is_a_plan(change, operator, sign_in):
    change.leftovers.update(state="dismissed")
    client = sign_in(operator)
    text = client.get(f"/changes/{change.uuid}/").content.decode()
    assert "Plan with refresh" in text
    assert "Import them all" not in text
    form = client.get(
        "/environments/triflow/staging/runs/new/?mode=apply&definition=1&reason=After+that"
    ).content.decode()
    assert "After that" in form


def test_the_next_step_after_a_destroy_is_a_destroy_unless_something_is_to_be_imported(
    change, operator, sign_in
):
    TerraformRun.objects.filter(change=change).update(mode="destroy")
    client = sign_in(operator)
    for state, mode in (("dismissed", "destroy"), ("importing", "apply")):
        change.leftovers.update(state=state)
        text = client.get(f"/changes/{change.uuid}/").content.decode()
        assert f"/environments/triflow/staging/runs/new/?mode={mode}&amp;definition=1" in text


# --- the acts --------------------------------------------------------------------------------------


def test_import_all_marks_what_has_an_id(
    change, operator, sign_in, django_capture_on_commit_callbacks, monkeypatch
):
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": sent.append(uuid))
    waiting = planned(change.environment, operator, [row("terraform_data.a", "create")])
    Change.objects.filter(pk=waiting.pk).update(
        status=Status.APPROVED, approved_at=timezone.now(), due_at=timezone.now()
    )
    client = sign_in(operator)
    with django_capture_on_commit_callbacks() as later:
        answer = client.post(f"/changes/{change.uuid}/leftovers/import/")
    assert answer.status_code == 302
    assert answer.url == f"/changes/{change.uuid}/#leftovers"
    assert states(change) == {"a": "importing", "b": "open"}
    event = AuditEvent.objects.get(action="leftover.import")
    assert (event.actor_name, event.after["address"]) == ("Operator", "terraform_data.a")
    # Whoever waited looks again, but only once the decision is written.
    assert sent == []
    for call in later:
        call()
    assert sent == [str(waiting.uuid)]
    assert client.post(f"/changes/{change.uuid}/leftovers/import/").status_code == 409


def test_import_by_another_id_and_once_more_by_a_third(change, operator, sign_in):
    client, row = sign_in(operator), one(change, "b")
    answer = client.post(page_of(row, "import"), {"resource_id": ""})
    assert answer.status_code == 400
    assert "Terraform had told no id yet" in answer.content.decode()
    assert client.post(page_of(row, "import"), {"resource_id": " typed-b "}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.resource_id, row.settled_by) == ("importing", "typed-b", "Operator")
    assert client.post(page_of(row, "import"), {"resource_id": "typed-b"}).status_code == 409
    assert client.post(page_of(row, "import"), {"resource_id": "third"}).status_code == 302
    assert one(change, "b").resource_id == "third"


@pytest.mark.parametrize("wrong", ("a\nb", "x" * 1025))
def test_an_id_is_one_line_of_bounded_length(change, operator, sign_in, wrong):
    answer = sign_in(operator).post(page_of(one(change), "import"), {"resource_id": wrong})
    assert answer.status_code == 400
    assert "An id is one line" in answer.content.decode()
    assert one(change).state == "open"


def test_dismiss_wants_a_reason_and_is_for_good(change, operator, sign_in):
    client, row = sign_in(operator), one(change)
    answer = client.post(page_of(row, "dismiss"), {"reason": "  "})
    assert answer.status_code == 400
    assert "Say why the state can do without it" in answer.content.decode()
    assert client.post(page_of(row, "dismiss"), {"reason": "Removed by hand."}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.reason, row.settled_by) == ("dismissed", "Removed by hand.", "Operator")
    assert AuditEvent.objects.get(action="leftover.dismiss").after["reason"] == "Removed by hand."
    for act in ACTS:
        assert client.post(page_of(row, act), FORMS[act]).status_code == 409
        assert "It is settled already" in client.get(page_of(row, act)).content.decode()


def test_a_marked_one_may_still_be_dismissed(change, operator, sign_in):
    change.leftovers.update(state="importing")
    assert sign_in(operator).post(page_of(one(change), "dismiss"), FORMS["dismiss"]).status_code == 302
    assert states(change)["a"] == "dismissed"


@pytest.mark.parametrize("act", ACTS)
class TestRefusals:
    def test_who_is_not_signed_in_is_sent_to_sign_in(self, change, client, act):
        answer = client.post(page_of(one(change), act), FORMS[act])
        assert (answer.status_code, "/sign-in/" in answer.url) == (302, True)
        assert states(change)["a"] == "open"

    def test_who_may_not_see_it_finds_nothing(self, change, outsider, sign_in, act):
        assert sign_in(outsider).post(page_of(one(change), act), FORMS[act]).status_code == 404

    def test_who_may_not_is_told_why_and_it_is_recorded(self, change, viewer, sign_in, act):
        client = sign_in(viewer)
        answer = client.post(page_of(one(change), act), FORMS[act])
        assert answer.status_code == 403
        assert "This needs one of these roles" in answer.content.decode()
        assert AuditEvent.objects.filter(action=f"leftover.{act}", outcome="refused").exists()
        asked = client.get(page_of(one(change), act))
        assert (asked.status_code, "This needs one of these roles" in asked.content.decode()) == (200, True)

    def test_looking_at_the_question_does_nothing(self, change, operator, sign_in, act):
        assert sign_in(operator).get(page_of(one(change), act)).status_code == 200
        assert states(change)["a"] == "open"

    def test_a_leftover_of_another_change_is_not_found(self, change, operator, sign_in, act):
        other = planned(change.environment, operator, [row("terraform_data.a", "create")])
        url = page_of(one(change), act).replace(str(change.uuid), str(other.uuid))
        assert sign_in(operator).post(url, FORMS[act]).status_code == 404

    def test_through_the_api_alike(self, change, api, operator, viewer, outsider, act):
        url = f"{API}{one(change).pk}/{act}/"
        assert APIClient().post(url, FORMS[act], format="json").status_code == 401
        assert api(outsider).post(url, FORMS[act], format="json").status_code == 404
        assert api(viewer).post(url, FORMS[act], format="json").status_code == 403
        assert api(operator).get(url).status_code == 405
        assert states(change)["a"] == "open"
        answer = api(operator).post(url, FORMS[act], format="json")
        assert answer.status_code == 200
        assert answer.json()["state"] == {"import": "importing", "dismiss": "dismissed"}[act]
        assert api(operator).post(url, FORMS[act], format="json").status_code == 409


def test_import_all_is_refused_to_who_may_not_and_takes_no_get(change, viewer, outsider, operator, sign_in):
    url = f"/changes/{change.uuid}/leftovers/import/"
    assert sign_in(viewer).post(url).status_code == 403
    assert sign_in(outsider).post(url).status_code == 404
    assert sign_in(operator).get(url).status_code == 405
    assert states(change) == {"a": "open", "b": "open"}


def test_an_act_that_is_none_is_not_found(change, operator, sign_in):
    assert sign_in(operator).get(page_of(one(change), "adopt")).status_code == 404


def test_the_api_lists_them_and_wants_a_reason(change, api, viewer, operator):
    rows = api(viewer).get(API).json()["results"]
    assert [(row["address"], row["resource_id"], row["state"]) for row in rows] == [
        ("terraform_data.a", "id-a", "open"),
        ("terraform_data.b", "", "open"),
    ]
    assert rows[1]["made_at"] is None
    assert api(operator).post(f"{API}{rows[0]['id']}/dismiss/", {}, format="json").status_code == 400


# --- elsewhere -------------------------------------------------------------------------------------


def test_it_is_among_what_needs_those_who_may_decide(change, operator, viewer, sign_in):
    text = sign_in(operator).get("/").content.decode()
    assert "2 resources of TriFlow AI staging are in no state" in text
    assert "are in no state" not in sign_in(viewer).get("/").content.decode()
    change.leftovers.update(state="importing")
    assert "are in no state" not in sign_in(operator).get("/").content.decode()


def test_the_environments_page_and_its_chip_say_so(change, operator, sign_in):
    client = sign_in(operator)
    text = client.get("/environments/triflow/staging/").content.decode()
    assert "Resources in no state" in text
    assert f"/changes/{change.uuid}/#leftovers" in text
    assert "2 resources in no state" in client.get("/").content.decode()
    change.leftovers.update(state="importing")
    text = client.get("/environments/triflow/staging/").content.decode()
    assert "The next run imports 2 resources." in text


def test_it_cannot_be_retired_meanwhile(change, admin, sign_in):
    client = sign_in(admin)
    answer = client.post("/environments/triflow/staging/retire/", {"confirm_name": "triflow.staging"})
    assert answer.status_code == 409
    assert "import or dismiss terraform_data.a" in answer.content.decode()
    change.leftovers.update(state="dismissed")
    answer = client.post("/environments/triflow/staging/retire/", {"confirm_name": "triflow.staging"})
    assert answer.status_code == 302


def test_the_page_that_requests_a_run_says_what_comes_first(change, operator, sign_in):
    client = sign_in(operator)
    text = client.get("/environments/triflow/staging/runs/new/").content.decode()
    assert "Something has to be decided first" in text
    assert f"/changes/{change.uuid}/#leftovers" in text
    form = {"mode": "apply", "definition": "1", "start": "on_approval"}
    answer = client.post("/environments/triflow/staging/runs/new/", form)
    assert answer.status_code == 409
    assert "Somebody has to import or dismiss each first" in answer.content.decode()


def test_a_failed_resource_shows_terraforms_words(place, operator, sign_in):
    change = executing(place, operator, "terraform_data.a")
    row = told(change, "terraform_data.a", state="failed")
    row.error = "Error: StorageQuotaExceeded"
    row.save()
    assert "StorageQuotaExceeded" in sign_in(operator).get(f"/changes/{change.uuid}/").content.decode()


def test_types_that_are_imported_by_something_else_say_by_what(change, operator, sign_in):
    change.leftovers.filter(address="terraform_data.a").update(type="aws_iam_role_policy_attachment")
    text = sign_in(operator).get(page_of(one(change), "import")).content.decode()
    assert "ROLE-NAME/POLICY-ARN" in text
