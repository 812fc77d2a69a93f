"""A plan of 5,000 resources: the first response stays small, and every row can be reached and found."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from environments.changes import page
from environments.changes.models import Vote
from environments.models import Environment
from environments.runs import proposal_page
from environments.runs.models import ResourceProgress
from tests.environments.runs.crafted import planned, propose, row

pytestmark = pytest.mark.django_db

MOST_BYTES = 350_000


@pytest.fixture
def place(tenant):
    return Environment.objects.create(
        tenant=tenant, slug="big", name="big", environment_class="production", blueprint="steps"
    )


def rows(count):
    actions = ["delete", "replace"] + ["update"] * 18 + ["create"] * 80
    return [
        row(
            f"module.part{n % 20}.aws_instance.n{n}", actions[n % 100], ami="ami-2", size="x" * 40, tag=str(n)
        )
        for n in range(count)
    ]


@pytest.fixture
def big(place, operator):
    return planned(place, operator, rows(5000))


def page_of(client, change):
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(reverse("changes:detail", args=[change.uuid]))
    assert answer.status_code == 200
    return answer, len(captured)


def test_the_first_response_is_small_and_its_queries_do_not_grow(place, big, operator, approver, sign_in):
    client = sign_in(approver)
    page_of(client, big)
    answer, queries = page_of(client, big)
    print(f"change page of 5,000 resources: {len(answer.content):,} bytes, {queries} queries")
    assert len(answer.content) < MOST_BYTES
    small = planned(place, operator, rows(40))
    assert queries == page_of(client, small)[1]
    text = answer.content.decode()
    # Destruction stands first and whole; the rest is a press away.
    assert text.index("plan-row--delete") < text.index(
        "plan-row--create" if "plan-row--create" in text else "</main>"
    )
    assert "5000 in all" in text


def fragment(client, change, **query):
    url = reverse("runs:resource_changes", args=[change.uuid])
    return client.get(url, query, headers={"HX-Request": "true"}).content.decode()


def addresses(text):
    return re.findall(r'class="plan-row__address">([^<]+)<', text)


def test_every_row_is_reached_once(big, approver, sign_in):
    client = sign_in(approver)
    seen, after = [], ""
    while True:
        text = fragment(client, big, after=after)
        seen += addresses(text)
        more = re.search(r"after=([\d.]+)&amp;", text)
        if not more:
            break
        after = more.group(1)
    assert len(seen) == len(set(seen)) == 5000


def test_it_is_narrowed_by_action_and_text(big, approver, sign_in):
    client = sign_in(approver)
    assert len(addresses(fragment(client, big, action="delete"))) == 50
    assert addresses(fragment(client, big, q=".n4999")) == ["module.part19.aws_instance.n4999"]
    assert addresses(fragment(client, big, q="nothing like it")) == []
    # Narrowing goes on when more is asked for.
    text = fragment(client, big, action="create")
    assert "action=create" in text
    assert addresses(fragment(client, big, after="nonsense.²"))


def test_without_javascript_it_is_a_page(big, approver, outsider, sign_in, client):
    url = reverse("runs:resource_changes", args=[big.uuid])
    answer = sign_in(approver).get(url)
    assert "<h1" in answer.content.decode()
    assert sign_in(outsider).get(url).status_code == 404
    assert client.get(url).status_code == 302
    assert sign_in(approver).post(url).status_code == 405


def test_the_api_pages_through_all(big, viewer, outsider, api):
    client = api(viewer)
    url, seen = f"/api/v1/changes/{big.uuid}/resource-changes/", []
    while url:
        page = client.get(url).json()
        seen += [one["address"] for one in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 5000
    first = client.get(f"/api/v1/changes/{big.uuid}/resource-changes/").json()["results"][0]
    assert (first["action"], first["attributes"][0]["after"]) == ("delete", "ami-2")
    assert api(outsider).get(f"/api/v1/changes/{big.uuid}/resource-changes/").status_code == 404


def test_what_differs_since_a_vote_stays_short_too(big, approver, sign_in):
    """A re-proposal of 5,000 where every row is otherwise: the page names a few, and opens in the same bytes."""
    Vote.objects.create(proposal=big.proposal, user=approver, decision="approve")
    client = sign_in(approver)
    page_of(client, big)
    _answer, queries = page_of(client, big)
    again = [row(f"module.part{n % 20}.aws_instance.n{n}", "update", ami="ami-3") for n in range(5000)]
    propose(big, again)
    answer, more = page_of(client, big)
    print(f"the same with differences since a vote: {len(answer.content):,} bytes, {more} queries")
    assert len(answer.content) < MOST_BYTES
    # What is otherwise is read a few hundred rows at a time, never all at once.
    assert more <= queries + 35
    assert "5000 resources otherwise" in answer.content.decode()


def test_the_live_fragment_counts_in_the_database(big, approver, sign_in):
    """Asked for every second while 5,000 resources are applied: a few rows, and not 5,000 states to count."""
    ResourceProgress.objects.bulk_create(
        ResourceProgress(
            change=big, address=f"aws_instance.n{n}", action="create", state="done" if n < 4000 else "running"
        )
        for n in range(5000)
    )
    big.status, big.started_at = "executing", timezone.now()
    big.save(update_fields=["status", "started_at"])
    client = sign_in(approver)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(reverse("changes:live", args=[big.uuid]), {"stamp": page.stamp(big)})
    assert len(answer.content) < 40_000
    assert "4000 of 5000" in answer.content.decode()
    assert not any('"runs_resourceprogress"."state" FROM' in query["sql"] for query in captured)
    assert proposal_page.progress(big)["progress_failed"] == 0


def test_the_page_reads_no_more_rows_than_it_shows(big, approver, sign_in):
    client = sign_in(approver)
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse("changes:detail", args=[big.uuid]))
    reading = [query["sql"] for query in captured if '"runs_resourcechange"."detail"' in query["sql"]]
    assert len(reading) == 1
    assert reading[0].endswith(f"LIMIT {proposal_page.PAGE_SIZE + 1}")
