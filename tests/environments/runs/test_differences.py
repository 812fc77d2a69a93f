"""Whoever voted on an earlier proposal is shown what is otherwise now, resource by resource."""

from __future__ import annotations

import pytest
from django.urls import reverse

from environments.changes import actions
from environments.models import Environment
from tests.cast import by
from tests.environments.runs.crafted import planned, propose, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(tenant, operator, approver, security):
    place = Environment.objects.create(
        tenant=tenant, slug="production", name="production", environment_class="production"
    )
    from environments.changes.policies import put_in_force

    put_in_force(
        place, [{"name": "Two", "roles": ["approver"], "votes": 2, "when": {"always": True}}], "test"
    )
    first = [
        row("aws_s3_bucket.same", "create", acl="x"),
        row("aws_s3_bucket.other", "create", acl="x"),
        row("aws_s3_bucket.worse", "update", acl="x"),
        row("aws_s3_bucket.gone", "create", acl="x"),
    ]
    change = planned(place, operator, first)
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    propose(
        change,
        [
            row("aws_s3_bucket.worse", "replace", acl="x"),
            row("aws_s3_bucket.same", "create", acl="x"),
            row("aws_s3_bucket.other", "create", acl="y"),
            row("aws_db_instance.fresh", "delete"),
        ],
    )
    return change


def page_of(client, change):
    return client.get(reverse("changes:detail", args=[change.uuid])).content.decode()


def test_the_voter_sees_each_difference(change, approver, sign_in):
    text = page_of(sign_in(approver), change)
    assert "1 resource more: destroy aws_db_instance.fresh" in text
    assert "2 resources otherwise: replace aws_s3_bucket.worse, create aws_s3_bucket.other" in text
    assert "1 no longer: create aws_s3_bucket.gone" in text
    assert text.count("differs from what you last saw") == 3


def test_who_did_not_vote_sees_only_the_proposal(change, security, sign_in):
    text = page_of(sign_in(security), change)
    assert "What differs from the proposal you voted on" not in text
    assert "differs from what you last saw" not in text


def test_after_voting_again_nothing_differs(change, approver, sign_in):
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    assert "differs from what you last saw" not in page_of(sign_in(approver), change)


def test_rows_that_come_later_are_marked_too(change, approver, sign_in):
    url = reverse("runs:resource_changes", args=[change.uuid])
    text = sign_in(approver).get(url, {"q": "other"}, headers={"HX-Request": "true"}).content.decode()
    assert text.count("differs from what you last saw") == 1
