"""What people do about extras, on page and in the API: who may, twice, in the wrong state, recorded, sent after commit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from environments.changes import dispatch
from environments.changes.models import Change
from environments.models import AwsAccount, Environment
from environments.overview.queries import fleet, needs_of
from environments.runs.live import actions as live_actions
from environments.runs.live import hcl, rows
from environments.runs.models import ExtraRemoval, LiveCheck, LiveExtra
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, InvalidInput, NotAllowed
from tests.cast import by
from tests.environments.runs.crafted import planned

pytestmark = pytest.mark.django_db
KEY = "triflow.live"


@pytest.fixture
def place(tenant, operator):
    account = AwsAccount.objects.create(tenant=tenant, name="Main", account_id="123456789012")
    place = Environment.objects.create(
        tenant=tenant,
        slug="live",
        name="live",
        environment_class="staging",
        blueprint="steps",
        account=account,
    )
    change = planned(place, operator, [])
    Change.objects.filter(pk=change.pk).update(status="succeeded", finished_at=timezone.now())
    LiveCheck.objects.create(environment=place, taken_at=timezone.now())
    return place


def extra_of(place, **values) -> LiveExtra:
    detail = {
        "what": "rule",
        "region": "ap-northeast-2",
        "rule_id": "sgr-1",
        "egress": False,
        "protocol": "tcp",
        "from_port": 5432,
        "to_port": 5432,
        "source": "0.0.0.0/0",
        "ports": "tcp 5432",
        "description": 'for "kim" ${now}',
        "group_name": "triflow-db",
        "altered": "",
        "inline": False,
        "reason": "world_private_port",
        **values.pop("detail", {}),
    }
    return LiveExtra.objects.create(
        environment=place,
        **{
            "kind": "security_group_rule",
            "address": "module.groups.aws_security_group.db",
            "resource_id": "sg-1",
            "key": "ingress from 0.0.0.0/0 tcp 5432",
            "risk": 96,
            "added_by": "kim",
            **values,
        },
        detail=detail,
    )


@pytest.fixture
def high(place):
    return extra_of(place)


@pytest.fixture
def low(place):
    return extra_of(
        place,
        risk=30,
        key="ingress from 10.0.0.0/8 tcp 5432",
        detail={"reason": "inside", "source": "10.0.0.0/8"},
    )


def page(row):
    return reverse("runs:extra", args=["triflow", "live", row.pk])


def soon():
    return timezone.now() + timedelta(days=3)


def test_allowed_until_a_date_it_comes_back(low, operator):
    until = soon()
    live_actions.allow(by=by(operator), extra=low, until=until, reason=" the migration ")
    low.refresh_from_db()
    assert (low.allowed_until, low.settled_by, low.reason) == (until, str(operator), "the migration")
    extras = rows.open_extras(low.environment)
    assert list(rows.unsettled(extras)) == []
    assert list(rows.unsettled(extras, until + timedelta(seconds=1))) == [low]
    event = AuditEvent.objects.get(action="extra.allow")
    assert (event.outcome, event.after["why"], event.after["extra"]) == ("done", "the migration", low.key)


@pytest.mark.parametrize(
    ("days", "reason", "field"),
    [(-1, "x", "until"), (367, "x", "until"), (3, "  ", "reason"), (3, "x" * 2001, "reason")],
)
def test_an_allowance_has_a_reason_and_an_end_within_a_year(low, operator, days, reason, field):
    with pytest.raises(InvalidInput) as wrong:
        live_actions.allow(
            by=by(operator), extra=low, until=timezone.now() + timedelta(days=days), reason=reason
        )
    assert list(wrong.value.errors) == [field]


def test_adopted_is_no_alarm_and_can_be_taken_back(low, operator):
    live_actions.adopt(by=by(operator), extra=low, reason="the office needs it")
    assert list(rows.unsettled(rows.open_extras(low.environment))) == []
    live_actions.reopen(by=by(operator), extra=low)
    assert list(rows.unsettled(rows.open_extras(low.environment))) == [low]
    with pytest.raises(Conflict):
        live_actions.reopen(by=by(operator), extra=low)
    assert list(AuditEvent.objects.filter(action__startswith="extra.").values_list("action", flat=True)) == [
        "extra.adopt",
        "extra.reopen",
        "extra.reopen",
    ]


def test_who_made_a_high_risk_does_not_live_with_it_alone(high, low, operator, approver, security, viewer):
    for settle in (
        lambda who: live_actions.adopt(by=by(who), extra=high, reason="x"),
        lambda who: live_actions.allow(by=by(who), extra=high, until=soon(), reason="x"),
    ):
        with pytest.raises(NotAllowed):
            settle(operator)
        settle(approver)
        live_actions.reopen(by=by(security), extra=high)
    live_actions.adopt(by=by(operator), extra=low, reason="x")
    with pytest.raises(NotAllowed):
        live_actions.reopen(by=by(viewer), extra=low)
    refused = AuditEvent.objects.filter(outcome="refused").values_list("action", flat=True)
    assert sorted(refused) == ["extra.adopt", "extra.allow", "extra.reopen"]


def test_what_is_gone_cannot_be_decided_about(low, operator):
    LiveExtra.objects.update(gone_at=timezone.now())
    for act in (
        lambda: live_actions.adopt(by=by(operator), extra=low, reason="x"),
        lambda: live_actions.allow(by=by(operator), extra=low, until=soon(), reason="x"),
        lambda: live_actions.remove(by=by(operator), extra=low),
    ):
        with pytest.raises(Conflict, match="gone"):
            act()


def test_removal_is_asked_for_once_and_sent_after_commit(
    low, operator, viewer, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(dispatch, "send", lambda uuid, queue="": sent.append(uuid))
    with django_capture_on_commit_callbacks(execute=False) as waiting:
        change = live_actions.remove(by=by(operator), extra=low, reason="unused")
    assert sent == []
    for callback in waiting:
        callback()
    assert sent == [str(change.uuid)]
    assert ExtraRemoval.objects.get().extra == low
    with pytest.raises(Conflict, match="under way"):
        live_actions.remove(by=by(operator), extra=low)
    with pytest.raises(NotAllowed):
        live_actions.remove(by=by(viewer), extra=low)
    # Cancelled, it may be asked for again.
    Change.objects.filter(pk=change.pk).update(status="cancelled")
    live_actions.remove(by=by(operator), extra=low)


def test_the_tab_shows_the_worst_first_and_who(sign_in, viewer, high, low):
    text = sign_in(viewer).get(reverse("runs:drift", args=["triflow", "live"])).content.decode()
    assert text.index("tcp 5432 from 0.0.0.0/0 into sg-1 (triflow-db)") < text.index("from 10.0.0.0/8")
    assert "High risk" in text
    assert "kim" in text
    assert "1 of high risk" in text


def test_the_page_of_one(sign_in, viewer, operator, approver, outsider, high, low):
    text = sign_in(viewer).get(page(high)).content.decode()
    assert "whole internet" in text
    assert "needs one of these roles" in text
    client = sign_in(operator)
    text = client.get(page(low)).content.decode()
    assert "Propose its removal" in text
    assert "aws_vpc_security_group_ingress_rule" in text
    assert sign_in(outsider).get(page(low)).status_code == 404
    assert client.put(page(low)).status_code == 405
    assert client.post(page(low), {"act": "dance"}).status_code == 400
    wrong = client.post(page(low), {"act": "allow", "allow-until": "", "allow-reason": ""})
    assert (wrong.status_code, b"This field is required" in wrong.content) == (400, True)
    answer = client.post(page(low), {"act": "adopt", "adopt-reason": "ours"}, follow=True)
    assert b"the blueprint" in answer.content
    answer = client.post(page(low), {"act": "reopen"})
    assert answer.status_code == 302
    answer = client.post(page(low), {"act": "remove", "remove-reason": "unused"})
    assert answer["Location"].startswith("/changes/")
    assert b"under way" in client.get(page(low)).content
    refused = sign_in(viewer).post(page(low), {"act": "remove", "remove-reason": ""})
    assert refused.status_code == 403


def test_signed_out_nobody_gets_in(client, low):
    assert client.get(page(low)).status_code == 302
    assert client.get(f"/api/v1/environments/{KEY}/live-extras/").status_code == 401


def test_the_api(api, operator, viewer, outsider, approver, high, low):
    root = f"/api/v1/environments/{KEY}/live-extras/"
    answer = api(viewer).get(root).json()
    assert [row["id"] for row in answer["results"]] == [high.pk, low.pk]
    first = answer["results"][0]
    assert (first["risk"], first["added_by"], first["state"]) == (96, "kim", "open")
    assert "import {" in first["hcl"]
    assert answer["look"]["error"] == ""
    person = api(operator)
    until = soon().isoformat()
    assert (
        person.post(f"{root}{high.pk}/allow/", {"until": until, "reason": "x"}, format="json").status_code
        == 403
    )
    allowed = api(approver).post(f"{root}{high.pk}/allow/", {"until": until, "reason": "x"}, format="json")
    assert (allowed.status_code, allowed.json()["state"]) == (200, "allowed")
    assert person.post(f"{root}{low.pk}/adopt/", {}, format="json").status_code == 400
    assert (
        person.post(f"{root}{low.pk}/adopt/", {"reason": "ours"}, format="json").json()["state"] == "adopted"
    )
    assert person.post(f"{root}{low.pk}/reopen/").json()["state"] == "open"
    made = person.post(f"{root}{low.pk}/remove/", {"reason": "unused"}, format="json")
    assert (made.status_code, made.json()["kind"]) == (201, "remove_extra")
    assert made.json()["details"]["extra"] == low.pk
    assert person.post(f"{root}{low.pk}/remove/").status_code == 409
    assert person.get(f"{root}{low.pk}/remove/").status_code == 405
    assert api(outsider).get(root).status_code == 404
    assert api(outsider).post(f"{root}{low.pk}/remove/").status_code == 404
    assert person.post(f"{root}{2**70}/remove/").status_code == 404
    LiveCheck.objects.update(due_at=soon())
    assert person.post(root).status_code == 202
    assert LiveCheck.objects.get().due_at <= timezone.now()
    assert api(viewer).post(root).status_code == 403


def test_a_look_is_not_asked_for_where_there_is_none(place, operator):
    Environment.objects.filter(pk=place.pk).update(environment_class="local")
    place.refresh_from_db()
    with pytest.raises(Conflict, match="local"):
        live_actions.check_live(by=by(operator), environment=place)


def test_the_fleet_and_those_who_can_do_something_see_the_high_risk(high, low, operator, viewer, outsider):
    def verdict():
        (row,) = fleet(Environment.objects.filter(pk=high.environment_id))
        return row.state, [chip.text for _column, chip in row.cells if chip]

    state, texts = verdict()
    assert state == "failing"
    assert "1 opening of high risk beside the state" in texts
    assert any("high risk" in need.title for need in needs_of(operator))
    assert needs_of(viewer) == []
    assert not any("high risk" in need.title for need in needs_of(outsider))
    LiveExtra.objects.filter(pk=high.pk).update(adopted_at=timezone.now())
    assert "1 extra beside the state" in verdict()[1]
    assert not any("high risk" in need.title for need in needs_of(operator))


def test_what_terraform_is_given_to_own_it(place, high):
    assert hcl.snippet(high) == (
        'resource "aws_vpc_security_group_ingress_rule" "triflow_db_ingress_tcp_5432_0_0_0_0_0" {\n'
        '  security_group_id = "sg-1"\n'
        '  ip_protocol       = "tcp"\n'
        "  from_port         = 5432\n"
        "  to_port           = 5432\n"
        '  cidr_ipv4         = "0.0.0.0/0"\n'
        '  description       = "for \\"kim\\" $${now}"\n'
        "}\n\n"
        "import {\n"
        "  to = aws_vpc_security_group_ingress_rule.triflow_db_ingress_tcp_5432_0_0_0_0_0\n"
        '  id = "sgr-1"\n'
        "}\n"
    )
    written = extra_of(place, key="k", detail={"inline": True, "source": "sg-1"})
    assert "self      = true" in hcl.snippet(written)
    assert "resource" not in hcl.snippet(written)
    policy = extra_of(
        place,
        key="p",
        resource_id="role-1",
        detail={
            "what": "inline_policy",
            "principal": "role",
            "name": "debug",
            "arn": "",
            "document": {"Statement": [{"Resource": "arn:aws:s3:::${aws:username}"}]},
        },
    )
    text = hcl.snippet(policy)
    assert 'id = "role-1:debug"' in text
    assert "$${aws:username}" in text
