"""Lists of changes: filters, paging, and as many queries for 500 rows as for 50."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from environments.changes import inbox
from environments.changes.abilities import can_approve
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Proposal, Transition
from environments.models import Environment
from tests.cast import by
from tests.environments.changes.conftest import ask_for, step

pytestmark = pytest.mark.django_db

_numbers = itertools.count(1)
CYCLE = (Status.AWAITING_APPROVAL, Status.SUCCEEDED, Status.FAILED, Status.EXECUTING, Status.APPROVED)


def fill(tenant, user, count, *, kind="fake"):
    """`count` changes in as many environments, in all sorts of statuses, each with a proposal."""
    now = timezone.now()
    numbers = list(itertools.islice(_numbers, count))
    environments = Environment.objects.bulk_create(
        Environment(tenant=tenant, slug=f"e{n}", name=f"e{n}", environment_class="production")
        for n in numbers
    )
    changes = Change.objects.bulk_create(
        Change(
            environment=environment,
            kind=kind,
            title=f"Change {n}",
            status=CYCLE[n % len(CYCLE)],
            requested_by=user,
            requested_by_name=str(user),
            created_at=now - timedelta(minutes=n),
            finished_at=now - timedelta(minutes=n),
            due_at=None,
        )
        for n, environment in zip(numbers, environments, strict=True)
    )
    facts = {"kind": kind, "mode": "apply"}
    proposals = Proposal.objects.bulk_create(
        Proposal(change=change, number=1, digest=f"{change.pk:064d}", facts=facts) for change in changes
    )
    for change, proposal in zip(changes, proposals, strict=True):
        change.proposal = proposal
    Change.objects.bulk_update(changes, ["proposal"])


def queries_of(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("who", ("viewer", "approver", "operator2", "admin"))
@pytest.mark.parametrize("where", ("changes:list", "overview:home", "overview:inbox"))
def test_as_many_queries_with_500_as_with_50(fake, tenant, operator2, sign_in, request, who, where):
    client = sign_in(request.getfixturevalue(who))
    fill(tenant, operator2, 50)
    few = queries_of(client, reverse(where))
    fill(tenant, operator2, 450)
    assert queries_of(client, reverse(where)) == few


def test_the_api_list_too(fake, tenant, operator2, viewer, api):
    client = api(viewer)
    url = reverse("api:changes")
    fill(tenant, operator2, 50)
    few = queries_of(client, url)
    fill(tenant, operator2, 450)
    assert queries_of(client, url) == few


def test_terraform_runs_are_counted_for_the_inbox_in_as_many_queries(tenant, operator, approver):
    """Who wrote the definition must not approve: asked for all changes at once."""
    from environments.models import Definition
    from environments.runs.models import TerraformRun

    def add(count):
        fill(tenant, operator, count, kind="terraform_run")
        for change in Change.objects.filter(terraform_run=None):
            author = approver if change.pk % 3 == 0 else operator
            definition = Definition.objects.create(
                environment=change.environment, number=1, blueprint="x", snapshot="0", author=author
            )
            TerraformRun.objects.create(change=change, mode="apply", definition=definition)

    def waiting_in_order():
        return Change.objects.filter(status=Status.AWAITING_APPROVAL).for_lists().order_by("created_at")

    def counted():
        with CaptureQueriesContext(connection) as captured:
            found = inbox.awaiting(approver)
        return found, len(captured)

    add(50)
    found, few = counted()
    waiting = [row for row in Change.objects.all() if row.status == Status.AWAITING_APPROVAL]
    assert {row.pk for row in found} == {row.pk for row in waiting if row.pk % 3}
    assert found == [row for row in waiting_in_order() if can_approve(row, approver, {"approver"}).allowed]
    add(150)
    assert counted()[1] == few


def titles(client, **query):
    answer = client.get(reverse("changes:list"), query)
    assert answer.status_code == 200
    return [row.title for row in answer.context["page"].rows]


def test_filters_narrow_and_wrong_ones_do_not(
    fake, production, staging, operator, operator2, approver, sign_in
):
    step(ask_for(production, operator))
    step(step(ask_for(staging, operator2)))
    client = sign_in(approver)
    assert len(titles(client)) == 2
    assert len(titles(client, environment="triflow.staging")) == 1
    assert len(titles(client, tenant="triflow", status="awaiting_approval")) == 1
    assert len(titles(client, status="open")) == 1
    assert len(titles(client, requester="operator2")) == 1
    assert len(titles(client, kind="approval_policy")) == 0
    assert len(titles(client, kind="nonsense", environment="onno.production")) == 2


def test_pages_go_on_where_the_last_ended(fake, tenant, operator2, viewer, sign_in):
    fill(tenant, operator2, 120)
    client = sign_in(viewer)
    seen, url = [], reverse("changes:list")
    for _page in range(3):
        page = client.get(url).context["page"]
        seen += [row.pk for row in page.rows]
        url = f"{reverse('changes:list')}?cursor={page.older}"
    assert len(seen) == len(set(seen)) == 120


def test_the_environments_tab_lists_its_own(fake, production, staging, operator, viewer, outsider, sign_in):
    step(ask_for(production, operator))
    step(ask_for(staging, operator))
    url = reverse("changes:of_environment", args=["triflow", "staging"])
    answer = sign_in(viewer).get(url)
    assert [row.environment.slug for row in answer.context["page"].rows] == ["staging"]
    assert sign_in(outsider).get(url).status_code == 404


def test_the_inbox_count_is_in_the_navigation_of_those_who_may_vote(
    fake, production, operator, approver, sign_in
):
    step(ask_for(production, operator))
    assert (inbox.count(approver), inbox.count(operator)) == (1, 0)
    from environments.changes import actions

    change = Change.objects.for_lists().get()
    actions.reject(by=by(approver), change=change, comment="no")
    assert inbox.count(approver) == 0
    assert Transition.objects.filter(to_status="rejected").exists()
