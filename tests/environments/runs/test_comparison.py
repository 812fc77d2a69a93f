"""What differs between two proposals, chosen on the page: resources, their attributes, and what is not shown."""

from __future__ import annotations

import tracemalloc

import pytest
from django.urls import reverse

from environments.changes import actions
from environments.models import Environment
from environments.runs import comparison
from environments.runs.models import ResourceChange
from tests.cast import by
from tests.environments.runs.crafted import planned, propose, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(tenant):
    return Environment.objects.create(tenant=tenant, slug="p", name="p", environment_class="production")


@pytest.fixture
def change(place, operator):
    """Three proposals."""
    first = [row("aws_s3_bucket.same", "create", acl="x"), row("aws_s3_bucket.gone", "create", acl="x")]
    change = planned(place, operator, first)
    propose(
        change, [row("aws_s3_bucket.same", "create", acl="y"), row("aws_s3_bucket.two", "update", size="1")]
    )
    propose(
        change,
        [
            row("aws_db_instance.fresh", "delete"),
            row("aws_s3_bucket.two", "replace", size="2", name="n"),
            row("aws_s3_bucket.same", "create", acl="y"),
        ],
    )
    return change


def shown(client, change, **query):
    url = reverse("changes:differences", args=[change.uuid])
    return client.get(url, query, headers={"HX-Request": "true"}).content.decode()


def test_against_the_one_before_unless_another_is_chosen(change, viewer, sign_in):
    client = sign_in(viewer)
    text = shown(client, change)
    assert "Against proposal 2:" in text
    assert "1 altered" in text
    assert "1 new" in text
    assert "no longer" not in text
    assert "aws_s3_bucket.same" not in text
    assert "was change, now replace" in text
    text = shown(client, change, **{"from": "1"})
    assert "Against proposal 1:" in text
    assert "2 new" in text
    assert "no longer: create" in text
    assert "aws_s3_bucket.same" in text
    # A number that is none, or the current one, compares with the one before.
    for wrong in ("3", "99", "-1", "x' OR 1=1"):
        assert "Against proposal 2:" in shown(client, change, **{"from": wrong})


def test_a_voters_default_is_what_they_voted_on(place, operator, approver, viewer, sign_in):
    change = planned(place, operator, [row("aws_s3_bucket.a", "create", acl="x")])
    actions.approve(by=by(approver), change=change, digest=change.proposal.digest)
    propose(change, [row("aws_s3_bucket.a", "create", acl="y")])
    propose(change, [row("aws_s3_bucket.a", "create", acl="z")])
    assert "Against proposal 1:" in shown(sign_in(approver), change)
    assert "Against proposal 2:" in shown(sign_in(viewer), change)


def test_attributes_are_told_then_and_now(change):
    second, third = change.proposals.order_by("number")[1:]
    found = comparison.compare(second, third)
    (altered,) = [one for one in found.rows if one.what == "altered"]
    by_path = {one["path"]: one for one in altered.attributes}
    assert set(by_path) == {"size", "name"}
    assert (by_path["size"]["then"]["after"], by_path["size"]["now"]["after"]) == ("1", "2")
    assert by_path["name"]["then"] is None
    assert found.counts == {"altered": 1, "added": 1, "gone": 0}


def test_a_difference_only_in_a_hidden_value_is_told_as_that(place, operator, viewer, sign_in):
    rows = [row("aws_db.a", "update", password="(sensitive)")]
    change = planned(place, operator, rows)
    propose(change, rows)
    for number, proposal in enumerate(change.proposals.order_by("number")):
        changed = ResourceChange.objects.get(proposal=proposal)
        changed.detail[0] |= {"sensitive": True, "before": "(sensitive)", "seal": ["k", f"seal-{number}"]}
        changed.save()
    text = shown(sign_in(viewer), change)
    assert "a value that is not shown differs" in text
    assert "seal-" not in text


def test_the_same_proposal_twice_says_nothing(place, operator, viewer, sign_in):
    change = planned(place, operator, [row("aws_s3_bucket.a", "create", acl="x")])
    second = propose(change, [row("aws_s3_bucket.a", "create", acl="x")])
    second.digest = change.proposals.get(number=1).digest
    second.save()
    assert "says exactly the same" in shown(sign_in(viewer), change)


def test_another_ground_is_told(change):
    second, third = change.proposals.order_by("number")[1:]
    second.base, third.base = {"definition": 3, "serial": 1}, {"definition": 4, "serial": 1, "snapshot": "s"}
    third.facts["outputs"] = [{"name": "url"}]
    found = comparison.compare(second, third)
    assert list(found.remarks) == [
        "Planned from definition 3, now from 4.",
        "The blueprint's snapshot is another one.",
        "Outputs that differ: url.",
    ]


def test_the_page_has_its_part_and_the_address_works_alone(change, viewer, outsider, sign_in, client):
    url = reverse("changes:differences", args=[change.uuid])
    page = sign_in(viewer).get(reverse("changes:detail", args=[change.uuid])).content.decode()
    assert f'hx-get="{url}"' in page
    whole = sign_in(viewer).get(url).content.decode()
    assert "<html" in whole
    assert "Against proposal 2:" in whole
    assert sign_in(outsider).get(url).status_code == 404
    assert client.get(url).status_code == 302
    assert sign_in(viewer).post(url).status_code == 405


def test_with_one_proposal_there_is_no_such_part(place, operator, viewer, sign_in):
    change = planned(place, operator, [row("aws_s3_bucket.a", "create")])
    page = sign_in(viewer).get(reverse("changes:detail", args=[change.uuid])).content.decode()
    assert reverse("changes:differences", args=[change.uuid]) not in page
    assert "There is only one proposal." in shown(sign_in(viewer), change)


def test_two_large_plans_are_compared_in_bounds(place, operator, viewer, sign_in):
    rows = [row(f"aws_x.y{n}", "create", name=f"n{n}") for n in range(1200)]
    change = planned(place, operator, rows)
    propose(change, [row(f"aws_x.y{n}", "create", name=f"m{n}") for n in range(200, 1500)])
    client = sign_in(viewer)
    tracemalloc.start()
    text = shown(client, change)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "1,000 altered" in text.replace("1000", "1,000")
    assert "300 new" in text
    assert text.count("plan-row__address") == comparison.SHOWN
    assert f"The first {comparison.SHOWN} of" in text
    assert len(text) < 200_000
    assert peak < 25_000_000
