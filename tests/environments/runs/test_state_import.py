"""Importing a state from a file or from S3: what it becomes, and what it never overwrites by accident."""

from __future__ import annotations

import json
from typing import Any

import pytest

from environments.changes import actions as changes
from environments.changes import execution
from environments.changes.models import Change
from environments.models import AwsAccount, Environment, Resource
from environments.runs.models import Output, StateEdit, StateVersion
from environments.runs.states import edit_sources, store, upkeep
from environments.runs.states.actions import request_import
from portal.accounts.principals import worker
from portal.aws.errors import AwsError
from portal.core.errors import InvalidInput
from portal.terraform.state import read_state
from tests.cast import by
from tests.environments.runs.states import LINEAGE, OTHER_LINEAGE, body, keep, thing

pytestmark = pytest.mark.django_db
WORKER = worker("test worker")


@pytest.fixture
def staging(tenant):
    account = AwsAccount.objects.create(
        tenant=tenant, name="sandbox", account_id="210000000002", kind="sandbox", default_region="eu-west-1"
    )
    return Environment.objects.create(
        tenant=tenant,
        slug="staging",
        name="staging",
        environment_class="staging",
        account=account,
        region="eu-west-1",
    )


@pytest.fixture
def production(tenant):
    return Environment.objects.create(
        tenant=tenant, slug="production", name="production", environment_class="production"
    )


def step(change: Change) -> Change:
    execution.advance(str(change.uuid), by=WORKER)
    return Change.objects.for_lists().get(pk=change.pk)


def asked(place, user, content: bytes | None = None, **options: Any) -> Change:
    wanted = {"reason": "It stood elsewhere", "file_name": "old.tfstate", **options}
    return request_import(by=by(user), environment=place, content=content, **wanted)


def test_into_an_empty_environment_it_comes_as_it_is(staging, operator):
    content = body(
        thing("a"), serial=41, outputs={"url": {"value": "http://x", "type": "string"}}, lineage=OTHER_LINEAGE
    )
    change = step(asked(staging, operator, content))
    assert change.status == "approved"
    assert change.proposal.facts["mode"] == "state_import"
    assert change.proposal.summary == "1 to know again"
    change = step(change)
    assert change.status == "succeeded", change.error_message
    newest = store.current(staging)
    assert (newest.number, newest.serial, newest.lineage, newest.content) == (1, 41, OTHER_LINEAGE, content)
    assert Resource.objects.get().address == "terraform_data.a"
    assert Output.objects.get().value == "http://x"
    # What is a state version now is not kept a second time.
    assert StateEdit.objects.get().content is None


def test_over_the_same_lineage_it_gets_the_next_serial(staging, operator):
    keep(staging, thing("a"), serial=7)
    change = step(step(asked(staging, operator, body(thing("a"), thing("b"), serial=3))))
    assert change.status == "succeeded"
    assert (store.current(staging).serial, store.current(staging).lineage) == (8, LINEAGE)


@pytest.mark.parametrize(("theirs", "then"), ((3, 8), (500, 500)))
def test_over_another_lineage_confirmed_it_keeps_its_own(staging, operator, theirs, then):
    keep(staging, thing("a"), serial=7)
    content = body(thing("z"), serial=theirs, lineage=OTHER_LINEAGE)
    change = step(asked(staging, operator, content, confirm_name="triflow.staging"))
    assert change.proposal.facts["replaces_lineage"]
    change = step(change)
    assert change.status == "succeeded"
    newest = store.current(staging)
    assert (newest.serial, newest.lineage) == (then, OTHER_LINEAGE)
    assert [one.address for one in read_state(newest.content).managed] == ["terraform_data.z"]


@pytest.mark.parametrize("typed", ("", "staging", "triflow.production"))
def test_over_another_lineage_it_must_be_confirmed(staging, operator, typed):
    keep(staging, thing("a"))
    with pytest.raises(InvalidInput):
        asked(staging, operator, body(lineage=OTHER_LINEAGE), confirm_name=typed)
    assert not Change.objects.exists()


def test_a_state_that_came_meanwhile_is_not_replaced_unasked(staging, operator):
    """Requested for an empty environment; a run was faster."""
    change = asked(staging, operator, body(thing("z"), lineage=OTHER_LINEAGE))
    keep(staging, thing("a"))
    change = step(change)
    assert (change.status, change.error_kind) == ("failed", "tool")
    assert "another lineage" in change.error_message
    assert store.current(staging).lineage == LINEAGE


def test_exactly_what_was_proposed_is_written_or_nothing(staging, operator):
    change = step(asked(staging, operator, body(thing("a"))))
    assert change.status == "approved"
    StateEdit.objects.update(content=body(thing("something else")))
    change = step(change)
    assert (change.status, change.error_kind) == ("failed", "tool")
    assert "not what was approved" in change.error_message
    assert not StateVersion.objects.exists()


def test_the_gates_are_asked_and_a_narrow_one_may_name_the_mode(production, operator, security):
    from environments.changes import policies
    from environments.changes.gates import read_gates

    gates = [
        {
            "name": "States",
            "roles": ["security"],
            "votes": 1,
            "when": {"always": True, "modes": ["state_import"]},
        }
    ]
    policies.put_in_force(production, [gate.as_dict() for gate in read_gates(gates)], "test")
    change = step(asked(production, operator, body(thing("a"))))
    assert change.status == "awaiting_approval"
    changes.approve(by=by(security), change=change, digest=change.proposal.digest)
    assert step(change).status == "succeeded"


def test_numbers_keep_every_digit(staging, operator):
    keep(staging, thing("a"))
    exact = b'{"value": 0.1234567890123456789012345, "type": "number"}'
    content = body(thing("a")).replace(b'"outputs": {}', b'"outputs": {"n": ' + exact + b"}")
    assert step(step(asked(staging, operator, content))).status == "succeeded"
    assert b"0.1234567890123456789012345" in store.current(staging).content


def test_what_was_brought_along_goes_when_the_change_ends_without_it(production, operator, approver):
    change = step(asked(production, operator, body(thing("a"))))
    upkeep.drop_left_contents()
    assert StateEdit.objects.get().content is not None
    changes.reject(by=by(approver), change=change, comment="not this one")
    upkeep.drop_left_contents()
    assert StateEdit.objects.get().content is None
    assert not StateVersion.objects.exists()


# --- from S3 ---------------------------------------------------------------------------------------


def test_from_s3_it_is_read_once_by_the_worker(staging, operator, monkeypatch):
    answers = [body(thing("a")), body(thing("b"))]
    calls = []

    def read(access, bucket, key, *, most):
        calls.append((access.account_id, bucket, key))
        return answers.pop(0)

    monkeypatch.setattr(edit_sources, "read_object", read)
    change = asked(staging, operator, None, s3="s3://tf-states/team a/prod.tfstate")
    assert calls == []
    change = step(change)
    assert calls == [("210000000002", "tf-states", "team a/prod.tfstate")]
    # Another state comes first; it is compared anew, with what was read then and not with what is there now.
    keep(staging, thing("c"), lineage=LINEAGE)
    change = step(step(change))
    assert change.status == "succeeded", change.error_message
    assert len(calls) == 1
    assert [one.address for one in read_state(store.current(staging).content).managed] == ["terraform_data.a"]


def test_a_refusal_of_s3_is_the_tools_with_the_missing_permission(staging, operator, monkeypatch):
    def read(access, bucket, key, *, most):
        raise AwsError(
            "The permission s3:GetObject is missing",
            code="AccessDenied",
            permanent=True,
            hint="Add it",
            action="s3:GetObject",
        )

    monkeypatch.setattr(edit_sources, "read_object", read)
    change = step(asked(staging, operator, None, s3="s3://tf-states/prod.tfstate"))
    assert (change.status, change.error_kind) == ("failed", "tool")
    assert "s3:GetObject" in change.error_message
    assert change.error_hint == "Add it"


@pytest.mark.parametrize(
    "content", (b"", b"<xml/>", body(terraform_version="99.0.0"), body(thing("a"), thing("a")))
)
def test_an_object_that_is_no_state_fails_in_words(staging, operator, monkeypatch, content):
    monkeypatch.setattr(edit_sources, "read_object", lambda *a, **k: content)
    monkeypatch.setattr(edit_sources, "ours", lambda: "1.11.4")
    change = step(asked(staging, operator, None, s3="s3://tf-states/prod.tfstate"))
    assert (change.status, change.error_kind) == ("failed", "tool")
    assert change.error_message
    assert not StateVersion.objects.exists()


def test_without_an_account_there_is_nothing_to_read_s3_with(production, operator):
    with pytest.raises(InvalidInput):
        asked(production, operator, None, s3="s3://tf-states/prod.tfstate")


def test_the_change_page_says_what_follows(staging, operator, sign_in):
    keep(staging, thing("a"), serial=7)
    content = body(thing("z"), lineage=OTHER_LINEAGE)
    change = step(asked(staging, operator, content, confirm_name="triflow.staging"))
    text = sign_in(operator).get(f"/changes/{change.uuid}/").content.decode()
    assert "Nothing in AWS is touched" in text
    assert "unmanaged" in text
    assert "managed again" in text
    assert "other infrastructure" in text
    assert "old.tfstate" in text
    details = json.loads(json.dumps(change.proposal.facts))
    assert details["forgets"] == 1
