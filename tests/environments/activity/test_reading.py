"""Who reads which part of the audit log, and how it is searched."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from environments.models import Environment, Membership, Role, Tenant
from portal.accounts.models import User
from portal.audit import Actor, Target
from portal.audit.models import AuditEvent
from tests.environments.activity.conftest import write

SignIn = Callable[[User], Client]
Events = dict[str, AuditEvent]
LINKS = re.compile(r'data-row-link href="/activity/([0-9a-f-]{36})/"')


def listed(client: Client, events: Events, **query: str) -> list[str]:
    answer = client.get(f"/activity/?{urlencode(query)}")
    assert answer.status_code == 200, answer.status_code
    names = {str(event.uuid): name for name, event in events.items()}
    found = LINKS.findall(answer.content.decode())
    return [names[uuid] for uuid in found if uuid in names]


class TestWho:
    def test_an_auditor_reads_their_tenant(self, sign_in: SignIn, auditor: User, events: Events) -> None:
        assert listed(sign_in(auditor), events) == ["ours of the tenant", "ours"]

    def test_a_portal_administrator_reads_all(self, sign_in: SignIn, admin: User, events: Events) -> None:
        found = listed(sign_in(admin), events)
        assert found == ["portal", "theirs", "ours of the tenant", "ours"]

    def test_auditing_two_tenants_reads_both_and_not_the_portal(
        self, sign_in: SignIn, auditor: User, other_tenant: Tenant, events: Events
    ) -> None:
        Membership.objects.create(user=auditor, tenant=other_tenant, role=Role.AUDITOR)
        assert listed(sign_in(auditor), events) == ["theirs", "ours of the tenant", "ours"]

    def test_a_role_elsewhere_does_not_open_the_log_here(
        self, sign_in: SignIn, outsider: User, tenant: Tenant, events: Events
    ) -> None:
        Membership.objects.create(user=outsider, tenant=tenant, role=Role.VIEWER)
        Membership.objects.filter(user=outsider).exclude(tenant=tenant).update(role=Role.AUDITOR)
        assert listed(sign_in(outsider), events) == ["theirs"]

    @pytest.mark.parametrize("name", ["viewer", "operator", "approver", "security", "finance"])
    def test_others_are_told_why_and_where_to_look(
        self, sign_in: SignIn, request: pytest.FixtureRequest, place: Environment, events: Events, name: str
    ) -> None:
        answer = sign_in(request.getfixturevalue(name)).get("/activity/")
        assert answer.status_code == 403
        page = answer.content.decode()
        assert "auditors and admins" in page
        assert 'href="/environments/triflow/staging/activity/"' in page
        assert "change.approve" not in page

    @pytest.mark.parametrize("path", ["/activity/", "/activity/export/"])
    def test_strangers_and_wrong_methods(
        self, client: Client, sign_in: SignIn, admin: User, path: str
    ) -> None:
        assert client.get(path).status_code == 302
        assert sign_in(admin).post(path).status_code == 405


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ({"tenant": "onno"}, ["theirs"]),
            ({"tenant": "portal"}, ["portal"]),
            ({"environment": "staging"}, ["ours"]),
            ({"action": "change."}, ["theirs", "ours"]),
            ({"action": "change.approve"}, ["ours"]),
            ({"action": "change"}, []),
            ({"target": "person:operator"}, ["portal"]),
            ({"actor": "oskar"}, ["portal", "theirs", "ours of the tenant", "ours"]),
            ({"actor": "nobody"}, []),
            ({"outcome": "refused"}, []),
            ({"action": "change.", "tenant": "triflow"}, ["ours"]),
        ],
    )
    def test_narrow(
        self, sign_in: SignIn, admin: User, tenant: Tenant, other_tenant: Tenant, events: Events,
        query: dict[str, str], names: list[str],
    ) -> None:  # fmt: skip
        assert listed(sign_in(admin), events, **query) == names

    def test_times_are_the_readers(self, sign_in: SignIn, admin: User, events: Events) -> None:
        admin.time_zone = "Asia/Seoul"
        admin.save()
        client, last = sign_in(admin), events["portal"].at + timedelta(hours=9)
        late, early = last + timedelta(minutes=1), last - timedelta(minutes=1)
        form = "%Y-%m-%dT%H:%M"
        assert listed(client, events, since=late.strftime(form)) == []
        assert len(listed(client, events, since=early.strftime(form), until=late.strftime(form))) == 4
        assert listed(client, events, until=early.strftime(form)) == []

    @pytest.mark.parametrize("query", [{"since": "yesterday"}, {"outcome": "maybe"}, {"tenant": "unknown"}])
    def test_what_cannot_be_read_shows_nothing_rather_than_all(
        self, sign_in: SignIn, admin: User, events: Events, query: dict[str, str]
    ) -> None:
        answer = sign_in(admin).get("/activity/", query)
        assert answer.status_code == 400
        assert "A filter cannot be read" in answer.content.decode()
        assert LINKS.findall(answer.content.decode()) == []

    def test_another_tenant_is_no_choice(self, sign_in: SignIn, auditor: User, events: Events) -> None:
        for other in ("onno", "portal"):
            assert sign_in(auditor).get("/activity/", {"tenant": other}).status_code == 400


class TestPaging:
    def test_older_and_newer_lose_nothing(self, sign_in: SignIn, auditor: User) -> None:
        written = [str(write(after={"n": n}).uuid) for n in range(120)]
        client, seen, cursor = sign_in(auditor), [], ""
        for _page in range(3):
            page = client.get("/activity/", {"cursor": cursor} if cursor else {})
            seen += LINKS.findall(page.content.decode())
            cursor = page.context["page"].older or ""
        assert seen == written[::-1]
        assert cursor == ""

    def test_a_forged_cursor_is_refused(self, sign_in: SignIn, auditor: User, events: Events) -> None:
        assert sign_in(auditor).get("/activity/?cursor=AAAA").status_code == 400

    def test_the_deepest_page_asks_what_the_first_asks(self, sign_in: SignIn, auditor: User) -> None:
        for n in range(60):
            write(after={"n": n})
        client = sign_in(auditor)
        older = client.get("/activity/").context["page"].older
        with CaptureQueriesContext(connection) as first:
            client.get("/activity/")
        with CaptureQueriesContext(connection) as second:
            client.get("/activity/", {"cursor": older})
        assert len(first) == len(second)

    def test_fifty_and_five_hundred_environments_ask_the_database_the_same(
        self, sign_in: SignIn, admin: User, auditor: User, tenant: Tenant
    ) -> None:
        def grow(count: int) -> None:
            start = Environment.objects.count()
            Environment.objects.bulk_create(
                Environment(tenant=tenant, slug=f"e{n}", name=f"e{n}") for n in range(start, start + count)
            )
            for n in range(start, start + count):
                write(environment=f"e{n}", target=Target("environment", f"triflow.e{n}", f"e{n}"))

        clients = [sign_in(admin), sign_in(auditor)]
        grow(50)
        for client in clients:
            client.get("/activity/")
        counts = []
        for extra in (0, 450):
            grow(extra)
            with CaptureQueriesContext(connection) as asked:
                for client in clients:
                    client.get("/activity/?action=change.")
            counts.append(len(asked))
        assert counts[0] == counts[1]


class TestOneEvent:
    def test_shows_what_changed_and_its_place_in_the_chain(
        self, sign_in: SignIn, auditor: User, events: Events
    ) -> None:
        page = sign_in(auditor).get(f"/activity/{events['ours'].uuid}/").content.decode()
        assert page.count('class="is-changed"') == 1
        assert page.count('class="is-same"') == 1
        assert "192.0.2.77" in page
        assert events["ours"].hash in page
        assert f'href="/activity/{events["ours of the tenant"].uuid}/"' in page
        assert "Does not match" not in page

    def test_a_broken_chain_is_seen(
        self, sign_in: SignIn, auditor: User, events: Events, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The database refuses to alter a record; so the reading of one is altered instead.
        real = AuditEvent.computed_hash
        monkeypatch.setattr(AuditEvent, "computed_hash", lambda event: real(event)[::-1])
        page = sign_in(auditor).get(f"/activity/{events['ours'].uuid}/").content.decode()
        assert "the record was altered" in page

    def test_a_member_sees_it_without_where_it_came_from(
        self, sign_in: SignIn, viewer: User, events: Events
    ) -> None:
        answer = sign_in(viewer).get(f"/activity/{events['ours'].uuid}/")
        assert answer.status_code == 200
        for secret in ("192.0.2.77", "req-1", events["ours"].hash):
            assert secret not in answer.content.decode()

    @pytest.mark.parametrize("which", ["ours of the tenant", "theirs", "portal"])
    def test_what_a_member_may_not_see_is_not_found(
        self, sign_in: SignIn, viewer: User, events: Events, which: str
    ) -> None:
        assert sign_in(viewer).get(f"/activity/{events[which].uuid}/").status_code == 404

    @pytest.mark.parametrize("which", ["theirs", "portal"])
    def test_what_an_auditor_may_not_see_is_not_found(
        self, sign_in: SignIn, auditor: User, events: Events, which: str
    ) -> None:
        assert sign_in(auditor).get(f"/activity/{events[which].uuid}/").status_code == 404

    def test_old_and_odd_targets_stay_readable(self, sign_in: SignIn, auditor: User) -> None:
        for target in (Target("environment", "cut"), Target("change", "no-uuid"), Target("tenant", "A B")):
            event = write(target=target, actor=Actor("", "", "system"))
            assert sign_in(auditor).get(f"/activity/{event.uuid}/").status_code == 200


class TestEnvironmentTab:
    PAGE = "/environments/triflow/staging/activity/"

    def test_members_see_what_happened_here_without_addresses(
        self, sign_in: SignIn, viewer: User, place: Environment, events: Events
    ) -> None:
        page = sign_in(viewer).get(self.PAGE).content.decode()
        assert LINKS.findall(page) == [str(events["ours"].uuid)]
        assert "192.0.2.77" not in page

    def test_an_environment_of_the_same_name_elsewhere_is_another(
        self, sign_in: SignIn, viewer: User, place: Environment
    ) -> None:
        write(tenant="onno", environment="staging")
        assert LINKS.findall(sign_in(viewer).get(self.PAGE).content.decode()) == []

    def test_an_empty_one_says_what_will_be_here(
        self, sign_in: SignIn, viewer: User, place: Environment
    ) -> None:
        assert "Nothing happened here yet" in sign_in(viewer).get(self.PAGE).content.decode()


def test_retired_environments_keep_their_story(
    sign_in: SignIn, viewer: User, place: Environment, events: Events
) -> None:
    Environment.objects.update(retired_at=timezone.now())
    page = sign_in(viewer).get(TestEnvironmentTab.PAGE).content.decode()
    assert str(events["ours"].uuid) in page
