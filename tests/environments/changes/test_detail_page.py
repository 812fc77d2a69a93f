"""The change page: what each person sees of it, what stays right while it moves, and its log."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from environments.changes import actions, log
from environments.changes.kinds import ToolFailure
from environments.changes.leases import Lease
from environments.changes.lifecycle import Status
from environments.changes.log import LogWriter
from environments.changes.models import Change
from portal.core.errors import InvalidInput, StaleState
from portal.core.redaction import Redactor
from portal.core.templatetags.states import CHANGE_STATUSES
from tests.cast import by
from tests.environments.changes.conftest import ask_for, fresh, step

pytestmark = pytest.mark.django_db


def page_of(client, change, name="detail", **query):
    return client.get(reverse(f"changes:{name}", args=[change.uuid]), query)


def text_of(answer):
    return answer.content.decode()


@pytest.fixture
def awaiting(fake, production, operator):
    return step(
        ask_for(
            production,
            operator,
            reason="The certificate ends soon",
            ticket="OPS-7",
            links=[{"title": "Commit", "url": "https://git.example.com/c/1"}],
        )
    )


def test_it_says_who_why_and_where(awaiting, approver, sign_in):
    text = text_of(page_of(sign_in(approver), awaiting))
    for part in ("Do it", "Operator", "The certificate ends soon", "OPS-7", "https://git.example.com/c/1"):
        assert part in text
    assert "one to do" in text


def test_the_approver_has_the_button_with_the_digest_and_the_requester_the_reason(
    awaiting, approver, operator, sign_in
):
    theirs = text_of(page_of(sign_in(approver), awaiting))
    assert 'id="ask-approve"' in theirs
    assert awaiting.proposal.digest in theirs
    own = text_of(page_of(sign_in(operator), awaiting))
    assert 'id="ask-approve"' not in own
    assert "You requested this change; somebody else has to approve it." in own
    assert 'id="ask-cancel"' in own


def test_everybody_of_the_tenant_sees_it_and_nobody_else(
    awaiting, viewer, auditor, finance, outsider, sign_in
):
    for person in (viewer, auditor, finance):
        assert page_of(sign_in(person), awaiting).status_code == 200
    for name in ("detail", "live", "log", "log_download"):
        assert page_of(sign_in(outsider), awaiting, name).status_code == 404


def test_it_wants_a_sign_in(awaiting, client):
    for name in ("detail", "live", "log", "log_download"):
        assert page_of(client, awaiting, name).status_code == 302


def test_the_fragment_moves_its_parts_only_when_they_changed(awaiting, approver, sign_in):
    client = sign_in(approver)
    stamp = re.search(r"stamp=([\d.]+)", text_of(page_of(client, awaiting))).group(1)
    same = page_of(client, awaiting, "live", stamp=stamp)
    assert same.status_code == 200
    assert "hx-swap-oob" not in text_of(same)
    actions.ask(by=by(approver), change=awaiting, text="Really?")
    moved = text_of(page_of(client, awaiting, "live", stamp=stamp))
    assert "hx-swap-oob" in moved
    assert "Really?" in moved


def test_the_fragment_stops_asking_when_the_change_has_ended(fake, staging, operator, sign_in):
    change = step(step(ask_for(staging, operator)))
    client = sign_in(operator)
    first = page_of(client, change, "live", stamp="old")
    assert first.status_code == 200
    stamp = re.search(r"stamp=([\d.]+)", text_of(first)).group(1)
    assert page_of(client, change, "live", stamp=stamp).status_code == 286


def test_a_failure_shows_its_words_and_its_hint(fake, staging, operator, sign_in):
    def refuse(work):
        raise ToolFailure("Error: <AccessDenied> creating the bucket", "Ask for s3:CreateBucket.")

    fake.on_propose = refuse
    change = step(ask_for(staging, operator))
    text = text_of(page_of(sign_in(operator), change))
    assert "&lt;AccessDenied&gt; creating the bucket" in text
    assert "Ask for s3:CreateBucket." in text


@pytest.mark.parametrize("status", sorted(Status.values))
def test_every_status_has_a_page(fake, production, operator, approver, sign_in, status):
    change = step(ask_for(production, operator))
    Change.objects.filter(pk=change.pk).update(status=status)
    for name in ("detail", "live"):
        answer = page_of(sign_in(approver), change, name)
        assert answer.status_code in {200, 286}
        assert str(CHANGE_STATUSES[status][1]) in text_of(answer)


def test_what_a_person_writes_is_text_not_markup(fake, production, operator, approver, sign_in):
    nasty = "<script>alert(1)</script>"
    change = step(
        ask_for(
            production,
            operator,
            reason=nasty,
            ticket=nasty,
            links=[{"title": nasty, "url": f"https://x.example/{nasty}"}],
        )
    )
    actions.ask(by=by(approver), change=change, text=nasty)
    text = text_of(page_of(sign_in(approver), change))
    assert nasty not in text


def test_a_link_that_would_run_is_refused(fake, production, operator):
    with pytest.raises(InvalidInput) as wrong:
        ask_for(production, operator, links=[{"title": "x", "url": "javascript:alert(1)"}])
    assert set(wrong.value.errors) == {"links"}


def test_a_new_proposal_says_what_differs_from_the_one_voted_on(
    fake, production, operator, approver, sign_in
):
    change = step(ask_for(production, operator))
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    fake.moved, fake.content = "the state moved", "two"
    change = step(change)
    assert change.status == Status.AWAITING_APPROVAL
    text = text_of(page_of(sign_in(approver), change))
    assert "differs from proposal 1" in text
    assert "two to do" in text


# --- log ---------------------------------------------------------------------------------------------


def logged(change, lines):
    writer = LogWriter(change, change.fence, Redactor([]))
    for start in range(0, len(lines), 100):
        writer.write("\n".join(lines[start : start + 100]))
    writer.close()


def test_the_log_is_read_from_any_offset_without_loss_or_repetition(fake, staging, operator, sign_in):
    change = step(ask_for(staging, operator))
    written = [f"line {n} ä€ {'x' * 40}" for n in range(1, 9001)]
    logged(change, written)
    client = sign_in(operator)
    after, texts, first_lines = 0, [], []
    while True:
        part = page_of(client, change, "log", after=after).json()
        assert part["offset"] == after
        if not part["text"]:
            break
        first_lines.append(part["first_line"])
        texts.append(part["text"])
        assert part["next"] == after + len(part["text"].encode())
        after = part["next"]
    assert len(texts) > 1
    found = "".join(texts).splitlines()
    assert found[-9000:] == written
    assert first_lines[1] == 1 + texts[0].count("\n")
    # From the middle of a line, and of a character, on: as many bytes as are left.
    total = part["size"]
    cut = page_of(client, change, "log", after=total - 30).json()
    assert cut["next"] == total
    assert page_of(client, change, "log", after="nonsense").json()["offset"] == 0
    assert page_of(client, change, "log", after="²").json()["offset"] == 0
    assert page_of(client, change, "log", after="9" * 30).status_code == 200
    download = b"".join(page_of(client, change, "log_download").streaming_content).decode()
    assert download.splitlines()[-9000:] == written


def test_the_log_is_complete_only_when_nothing_can_follow(fake, staging, operator, sign_in):
    change = step(ask_for(staging, operator))
    logged(change, ["one"])
    client = sign_in(operator)
    assert page_of(client, change, "log").json()["complete"] is False
    change = step(change)
    assert page_of(client, change, "log").json()["complete"] is True


def test_a_given_up_worker_adds_no_line(fake, staging, operator):
    change = step(ask_for(staging, operator))
    writer = LogWriter(change, change.fence, Redactor([]))
    writer.write("before")
    Change.objects.filter(pk=change.pk).update(fence=change.fence + 1)
    with pytest.raises(StaleState):
        writer.write("after")
    assert "after" not in log.read(change, after=0).text


def test_the_last_line_of_a_plan_is_not_held_back_at_its_end(fake, staging, operator):
    """A secret of several lines makes the writer hold lines back; the end of the phase lets them go."""
    fake.empty = True

    def talk(work):
        work.log.redactor.add(["BEGIN\nsecret\nEND"])
        work.say("BEGIN")

    fake.on_propose = talk
    change = step(ask_for(staging, operator))
    assert change.status == Status.NO_CHANGES
    assert log.read(change, after=0).text.splitlines() == ["BEGIN"]


def test_a_stale_lease_renews_nothing(fake, staging, operator):
    change = step(ask_for(staging, operator))
    Change.objects.filter(pk=change.pk).update(status=Status.EXECUTING, fence=5)
    change = fresh(change)
    lease = Lease(change)
    assert lease.renew()
    Change.objects.filter(pk=change.pk).update(fence=6)
    assert not lease.renew()
