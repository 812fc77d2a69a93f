"""The pages of the state room: who sees which button, what each does, and what it says when it cannot."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from environments.changes.models import Change, Claim
from environments.models import Environment
from environments.runs.models import StateEdit, StateLock, StateVersion
from environments.runs.states.lock_actions import lock_state
from environments.runs.states.token_actions import issue_state_token
from portal.accounts.models import ApiToken
from portal.audit.models import AuditEvent
from portal.terraform.identity import identify
from tests.cast import by
from tests.environments.runs.speaking import Terraform, change_of, run_of
from tests.environments.runs.states import OTHER_LINEAGE, SECRET, body, keep, thing

pytestmark = pytest.mark.django_db
HERE = "/environments/triflow/here/states/"


@pytest.fixture
def here(tenant):
    return Environment.objects.create(tenant=tenant, slug="here", name="here", environment_class="staging")


def upload(content: bytes, **more: str) -> dict[str, object]:
    return {"file": SimpleUploadedFile("old.tfstate", content), "reason": "It stood elsewhere", **more}


ACTS = (
    ("1/rollback/", {"reason": "why"}),
    ("import/", {"s3": "s3://bucket/key", "reason": "why"}),
    ("lock/", {"comment": "why"}),
    ("release/", {}),
    ("terraform/", {"person": "operator", "hours": "2", "reason": "why"}),
    ("terraform/abc/revoke/", {}),
    ("unlock/", {"comment": "why"}),
)


@pytest.mark.parametrize(("path", "data"), ACTS, ids=[path for path, _data in ACTS])
def test_none_of_it_without_a_sign_in_or_out_of_sight(
    here, operator, outsider, viewer, sign_in, client, path, data
):
    keep(here, thing("a"))
    assert client.post(HERE + path, data).status_code == 302
    assert sign_in(outsider).post(HERE + path, data).status_code == 404
    assert sign_in(viewer).post(HERE + path, data).status_code == 403
    assert not Change.objects.exists()
    assert not StateLock.objects.exists()
    assert not ApiToken.objects.exists()
    assert AuditEvent.objects.filter(outcome="refused").count() == 1


@pytest.mark.parametrize("path", ("lock/", "release/", "unlock/", "terraform/abc/revoke/"))
def test_what_does_something_takes_a_post(here, admin, sign_in, path):
    assert sign_in(admin).get(HERE + path).status_code == 405


# --- rollback --------------------------------------------------------------------------------------


def test_a_rollback_is_offered_for_every_version_but_the_newest(here, operator, viewer, sign_in):
    keep(here, thing("a"))
    keep(here, thing("b"))
    page = sign_in(operator).get(HERE).content.decode()
    assert f'href="{HERE}1/rollback/"' in page
    assert f'href="{HERE}2/rollback/"' not in page
    assert "rollback" not in sign_in(viewer).get(HERE).content.decode()


def test_asking_for_a_rollback_leads_to_its_change(here, operator, sign_in):
    keep(here, thing("a"))
    keep(here, thing("b"))
    client = sign_in(operator)
    assert "version 1" in client.get(HERE + "1/rollback/").content.decode()
    assert client.post(HERE + "1/rollback/", {"reason": ""}).status_code == 400
    answer = client.post(HERE + "1/rollback/", {"reason": "b was a mistake"})
    change = Change.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/changes/{change.uuid}/")
    assert client.get(answer.url).status_code == 200
    assert client.get(HERE + "9/rollback/").status_code == 404


def test_who_may_not_reads_why(here, viewer, sign_in):
    keep(here, thing("a"))
    for path in ("1/rollback/", "import/"):
        assert "one of these roles" in sign_in(viewer).get(HERE + path).content.decode()


# --- import ----------------------------------------------------------------------------------------


def test_an_uploaded_state_becomes_a_change_and_is_kept_encrypted(here, operator, sign_in):
    answer = sign_in(operator).post(HERE + "import/", upload(body(thing("a"))))
    change = Change.objects.get()
    assert answer.url == f"/changes/{change.uuid}/"
    edit = StateEdit.objects.get()
    assert (edit.source, edit.content) == ("old.tfstate", body(thing("a")))
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM runs_stateedit")
        assert SECRET.encode() not in bytes(cursor.fetchone()[0])


def test_an_upload_touches_no_disk(here, operator, sign_in, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1
    seen = []
    from environments.runs.states import forms as state_forms

    real = state_forms.ImportForm.wanted

    def looking(form):
        seen.append((type(form.cleaned_data["file"]).__name__, list(tmp_path.iterdir())))
        return real(form)

    state_forms.ImportForm.wanted = looking
    try:
        sign_in(operator).post(HERE + "import/", upload(body(thing("a"), padding="x" * 3_000_000)))
    finally:
        state_forms.ImportForm.wanted = real
    assert seen == [("InMemoryUploadedFile", [])]
    assert StateEdit.objects.exists()


def test_a_file_larger_than_a_state_may_be(here, operator, sign_in, settings):
    settings.STATE_MAX_BYTES = 1000
    answer = sign_in(operator).post(HERE + "import/", upload(body(padding="x" * 100_000)))
    assert answer.status_code == 413
    assert "larger than" in answer.content.decode()
    assert not Change.objects.exists()


def test_the_csrf_token_is_asked_for(here, operator):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    assert strict.post(HERE + "import/", upload(body())).status_code == 403
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    (
        (b"", "not complete JSON"),
        (b"\xff\xfe\x00", "not complete JSON"),
        (body()[:-1], "not complete JSON"),
        (b'{"version": 3}', "reads version 4"),
        (b'{"version": 4, "outputs": ' + b'{"a":' * 200 + b"1" + b"}" * 201, "nested more than"),
        (body(lineage=""), "no lineage"),
        (body(terraform_version="99.0.0"), "install Terraform 99.0.0 or newer"),
        (body(terraform_version="newest"), "no version of Terraform"),
        (body(thing("a"), thing("a")), "terraform_data.a more than once"),
        (body(thing("a", provider="aws")), "does not name its provider"),
        (body(thing("a", mode="other")), "neither managed nor a data source"),
    ),
)
def test_what_is_no_state_to_import_is_refused_in_words(here, operator, sign_in, content, words):
    answer = sign_in(operator).post(HERE + "import/", upload(content))
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert "It stood elsewhere" in answer.content.decode()
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    "address",
    (
        "bucket/key",
        "s3://bucket",
        "s3://bucket/",
        "s3://UPPER/key",
        "s3:///key",
        "s3://b/" + "k" * 1100,
        "s3://ok/a\x00",
    ),
)
def test_a_wrong_s3_address(here, operator, sign_in, address):
    answer = sign_in(operator).post(HERE + "import/", {"s3": address, "reason": "why"})
    assert answer.status_code == 400
    assert not Change.objects.exists()


def test_either_a_file_or_an_address(here, operator, sign_in):
    client = sign_in(operator)
    assert client.post(HERE + "import/", {"reason": "why"}).status_code == 400
    assert client.post(HERE + "import/", upload(body(), s3="s3://bucket/key")).status_code == 400


def test_another_lineage_wants_the_environments_id_typed(here, operator, sign_in):
    keep(here, thing("a"))
    client = sign_in(operator)
    answer = client.post(HERE + "import/", upload(body(lineage=OTHER_LINEAGE)))
    assert answer.status_code == 400
    assert "Type triflow.here" in answer.content.decode()
    answer = client.post(HERE + "import/", upload(body(lineage=OTHER_LINEAGE), confirm_name="triflow.here"))
    assert answer.status_code == 302
    assert StateEdit.objects.get().replaces_lineage


# --- locks -----------------------------------------------------------------------------------------


def test_locked_with_a_reason_seen_by_everybody_and_unlocked_by_its_holder(here, operator, viewer, sign_in):
    client = sign_in(operator)
    client.post(HERE + "lock/", {"comment": "Moving the database"})
    lock = StateLock.objects.get()
    assert (lock.held_by, lock.reason) == (operator, "Moving the database")
    text = sign_in(viewer).get(HERE).content.decode()
    assert "Operator" in text
    assert "Moving the database" in text
    assert "release/" not in text
    assert "Unlock it" in client.get(HERE).content.decode()
    client.post(HERE + "release/")
    assert not StateLock.objects.exists()
    told = AuditEvent.objects.filter(action__startswith="state.").order_by("id")
    assert [(event.action, event.actor_name) for event in told] == [
        ("state.lock", "Operator"),
        ("state.unlock", "Operator"),
    ]


def test_a_lock_wants_a_reason(here, operator, sign_in):
    sign_in(operator).post(HERE + "lock/", {"comment": " "})
    assert not StateLock.objects.exists()


def test_nobody_locks_what_is_locked(here, operator, operator2, sign_in):
    lock_state(by=by(operator), environment=here, reason="mine")
    answer = sign_in(operator2).post(HERE + "lock/", {"comment": "mine too"})
    assert answer.status_code == 409
    assert StateLock.objects.get().held_by == operator


def test_nobody_locks_under_a_change_that_executes(here, operator, sign_in):
    Claim.objects.create(change=change_of(here, operator), subject="state:triflow.here")
    answer = sign_in(operator).post(HERE + "lock/", {"comment": "why"})
    assert answer.status_code == 409
    assert "Run it" in answer.content.decode()
    assert not StateLock.objects.exists()


def test_anothers_lock_is_an_admins_to_release(here, operator, operator2, admin, sign_in):
    lock_state(by=by(operator), environment=here, reason="on holiday since")
    assert sign_in(operator2).post(HERE + "release/").status_code == 409
    assert StateLock.objects.exists()
    sign_in(admin).post(HERE + "unlock/", {"comment": "He is on holiday"})
    assert not StateLock.objects.exists()
    event = AuditEvent.objects.get(action="state.force_unlock")
    assert event.after["reason"] == "He is on holiday"


def locked_by_a_run(here, operator, process) -> Change:
    change = change_of(here, operator)
    run_of(change).lock("lock-1")
    Change.objects.filter(pk=change.pk).update(status="interrupted", tool_process=process)
    return change


def dead_process() -> dict[str, object]:
    import subprocess

    with subprocess.Popen(["true"]) as ended:
        identity = identify(ended.pid).as_dict()
    return {**identity, "started": "1"}


def test_the_page_shows_the_proof_and_its_release_takes_it(here, operator, sign_in):
    import os

    change = locked_by_a_run(here, operator, identify(os.getpid()).as_dict())
    client = sign_in(operator)
    text = client.get(HERE).content.decode()
    assert "Its Terraform is running" in text
    assert f"Process {os.getpid()} on" in text
    assert "Release it: nobody works on it" not in text
    assert client.post(HERE + "release/", {"proof": "1"}).status_code == 409
    assert StateLock.objects.exists()
    Change.objects.filter(pk=change.pk).update(tool_process=dead_process())
    assert "Release it: nobody works on it" in client.get(HERE).content.decode()
    assert client.post(HERE + "release/", {"proof": "1"}).status_code == 302
    assert not StateLock.objects.exists()
    event = AuditEvent.objects.get(action="state.unlock", outcome="done")
    assert event.after["proof"] == "process is dead"


def test_another_machines_process_is_no_proof(here, operator, admin, sign_in):
    locked_by_a_run(here, operator, {**identify(1).as_dict(), "host": "elsewhere"})
    assert "cannot be told from here" in sign_in(operator).get(HERE).content.decode()
    assert sign_in(operator).post(HERE + "release/", {"proof": "1"}).status_code == 409
    sign_in(admin).post(HERE + "unlock/", {"comment": "The machine was switched off"})
    assert not StateLock.objects.exists()


def test_no_admin_releases_what_a_living_terraform_holds(here, operator, admin, sign_in):
    import os

    locked_by_a_run(here, operator, identify(os.getpid()).as_dict())
    text = sign_in(admin).get(HERE).content.decode()
    assert 'data-dialog="unlock"' not in text
    assert sign_in(admin).post(HERE + "unlock/", {"comment": "I am sure"}).status_code == 409
    assert StateLock.objects.exists()


# --- the command line ------------------------------------------------------------------------------


def test_everybody_reads_how_and_only_admins_issue(here, viewer, admin, sign_in):
    text = sign_in(viewer).get(HERE + "terraform/").content.decode()
    assert "/state/triflow/here" in text
    assert "Issue the token" not in text
    assert "Issue the token" in sign_in(admin).get(HERE + "terraform/").content.decode()


def test_an_issued_token_is_shown_once_works_and_can_be_revoked(here, admin, operator, sign_in):
    client = sign_in(admin)
    answer = client.post(HERE + "terraform/", {"person": "operator", "hours": "2", "reason": "Repair"})
    assert answer.status_code == 201
    token = ApiToken.objects.get()
    plain = answer.content.decode().split(f"ghs_{token.prefix}_")[1].split("<")[0].split('"')[0]
    terraform = Terraform(here, "operator", f"ghs_{token.prefix}_{plain}")
    assert terraform.lock("l1").status_code == 200
    again = client.get(HERE + "terraform/").content.decode()
    assert plain not in again
    assert token.prefix in again
    client.post(f"{HERE}terraform/{token.prefix}/revoke/")
    assert terraform.write(body(), "l1").status_code == 401
    assert not StateVersion.objects.exists()
    event = AuditEvent.objects.get(action="state.token_revoke")
    assert event.actor_name == "Admin"


@pytest.mark.parametrize("wrong", ({"hours": "13"}, {"hours": "0"}, {"person": "viewer"}, {"reason": ""}))
def test_wrong_wishes_for_a_token(here, admin, operator, viewer, sign_in, wrong):
    data = {"person": "operator", "hours": "2", "reason": "Repair", **wrong}
    assert sign_in(admin).post(HERE + "terraform/", data).status_code == 400
    assert not ApiToken.objects.exists()


def test_a_token_of_another_environment_is_not_revoked_here(here, admin, operator, tenant, sign_in):
    other = Environment.objects.create(tenant=tenant, slug="there", name="there", environment_class="staging")
    token, _plain = issue_state_token(by=by(admin), environment=other, person=operator, hours=1, reason="x")
    sign_in(admin).post(f"{HERE}terraform/{token.prefix}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is None


# --- comparing -------------------------------------------------------------------------------------


def test_two_versions_by_resource_output_and_lineage(here, viewer, sign_in):
    keep(here, thing("a"), thing("old"), outputs={"url": {"value": "http://one", "type": "string"}})
    keep(
        here,
        thing("a", "two"),
        {**thing("old"), "name": "new"},
        outputs={
            "url": {"value": "http://two", "type": "string"},
            "key": {"value": SECRET, "type": "string", "sensitive": True},
        },
        lineage=OTHER_LINEAGE,
    )
    text = sign_in(viewer).get(HERE + "compare/?a=1&b=2").content.decode()
    assert "Their lineages differ" in text
    assert "terraform_data.new" in text
    assert "Until then" in text
    assert "http://two" in text
    assert SECRET not in text


def test_a_large_difference_comes_in_pages_and_is_searched(here, viewer, sign_in):
    keep(here, thing("kept"))
    keep(here, thing("kept"), *(thing(f"t{n:04}") for n in range(1000)))
    client = sign_in(viewer)
    text = client.get(HERE + "compare/?a=1&b=2").content.decode()
    assert text.count('class="plan-row"') == 100
    assert "1 to 100 of 1000" in text
    text = client.get(HERE + "compare/?a=1&b=2&after=900").content.decode()
    assert "901 to 1000 of 1000" in text
    text = client.get(HERE + "compare/?a=1&b=2&q=t0042&kind=added").content.decode()
    assert text.count('class="plan-row"') == 1
    assert "No difference matches" in client.get(HERE + "compare/?a=1&b=2&q=nothing").content.decode()
    for hostile in ("after=-1", "after=²", "after=" + "9" * 400, "kind=nonsense", "q=%25"):
        assert client.get(f"{HERE}compare/?a=1&b=2&{hostile}").status_code == 200
    for hostile in ("a=9&b=1", "a=²&b=1", "a=&b=", "a=1", "a=" + "9" * 30 + "&b=1"):
        assert client.get(f"{HERE}compare/?{hostile}").status_code == 404, hostile
