"""Gates that leave modes out: who is not asked, what says so, and what a policy may never leave out."""

from __future__ import annotations

import pytest
from django.urls import reverse

from environments.changes.gates import MODES, asked, excepted, policy_in_force, read_gates
from environments.changes.models import ApprovalPolicy, PolicyEdit
from portal.core.errors import InvalidInput
from tests.environments.changes.conftest import ask_for, step

pytestmark = pytest.mark.django_db

FREE = ("rollback", "restart", "scale_out", "front_end_rollback")


def facts(mode, kind="deployment", **more):
    return {"kind": kind, "mode": mode, **more}


def gate(**when):
    return {"name": "One", "roles": ["approver"], "votes": 1, "when": {"always": True, **when}}


@pytest.mark.parametrize("mode", MODES)
def test_production_asks_for_everything_but_the_way_back_and_more_of_the_same(mode, production):
    names = [one.name for one in asked(production, facts(mode))]
    assert names == ([] if mode in FREE else ["Approval", "Destroy"] if mode == "destroy" else ["Approval"])
    assert [one.name for one in excepted(production, facts(mode))] == (["Approval"] if mode in FREE else [])


def test_staging_asks_nobody(staging):
    assert asked(staging, facts("deploy")) == excepted(staging, facts("deploy")) == []


def test_a_gate_for_other_kinds_leaves_nothing_out():
    one = read_gates([gate(kinds=["terraform"], except_modes=["restart"])])[0]
    assert not one.asks(facts("restart"))
    assert not one.excepts(facts("restart"))
    assert one.excepts(facts("restart", kind="terraform"))
    only = read_gates([gate(modes=["deploy"], except_modes=["restart"])])[0]
    assert only.asks(facts("deploy"))
    assert not only.asks(facts("restart"))
    assert not only.excepts(facts("restart"))


def test_what_is_typed_in_comes_back_as_it_was():
    raw = gate(except_modes=["restart", "rollback"])
    assert read_gates([raw])[0].as_dict() == raw


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ({"except_modes": ["teleport"]}, "modes are: apply"),
        ({"except_modes": "restart"}, "are lists"),
        ({"modes": ["deploy"], "except_modes": ["deploy"]}, "asked for and left out at once"),
    ],
)
def test_what_is_wrong_is_said(when, words):
    with pytest.raises(InvalidInput) as wrong:
        read_gates([gate(**when)])
    assert words in wrong.value.errors["gates.0.when"][0]


def test_a_production_destroy_cannot_be_left_out(production):
    rows = [gate(except_modes=["destroy"])]
    ApprovalPolicy.objects.create(environment=production, number=1, gates=rows, author="test")
    assert [one.name for one in policy_in_force(production)] == ["One", "Destroy"]
    assert [one.name for one in asked(production, facts("destroy", kind="terraform"))] == ["Destroy"]


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("rollback", "wants no second person here for a rollback to the last good deployment"),
        ("restart", "wants no second person here for a restart of what runs"),
        ("scale_out", "wants no second person here for more tasks within the maximum"),
    ],
)
def test_the_page_says_why_nobody_was_asked(mode, words, fake, production, operator, sign_in):
    fake.facts = facts(mode, kind="fake")
    change = step(ask_for(production, operator))
    assert change.status == "approved"
    page = sign_in(operator).get(reverse("changes:detail", args=[change.uuid])).content.decode()
    assert words in page
    assert "No gate asks" not in page


def test_and_says_nothing_of_the_kind_where_somebody_is_asked(fake, production, operator, sign_in):
    change = step(ask_for(production, operator))
    page = sign_in(operator).get(reverse("changes:detail", args=[change.uuid])).content.decode()
    assert "Nobody is asked" not in page


def test_the_policys_page_shows_and_edits_what_is_left_out(production, admin, sign_in):
    client, url = sign_in(admin), reverse("changes:policy", args=["triflow", "production"])
    page = client.get(url).content.decode()
    assert "except for rollback, restart, scale_out, front_end_rollback" in page
    assert 'name="gate-0-except_modes" value="rollback" checked' in page
    form = {
        "gate-0-name": "Approval",
        "gate-0-roles": ["approver"],
        "gate-0-votes": "1",
        "gate-0-when": ["always"],
        "gate-0-except_modes": ["restart"],
        "reason": "rollbacks are looked at, too",
    }
    assert client.post(url, form).status_code == 302

    assert PolicyEdit.objects.get().gates[0]["when"] == {"always": True, "except_modes": ["restart"]}
