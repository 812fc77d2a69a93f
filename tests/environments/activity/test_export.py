"""Taking the audit log out, as files and over the API."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from environments.activity import export
from environments.models import Membership, Role, Tenant
from portal.accounts.models import User
from portal.audit import Actor, Target
from portal.audit.models import AuditEvent, hash_of
from tests.environments.activity.conftest import write
from tests.environments.recorded import last, outcomes

SignIn = Callable[[User], Client]
Api = Callable[..., APIClient]
Events = dict[str, AuditEvent]


def content(client: Client, **query: str) -> bytes:
    answer = client.get("/activity/export/", query)
    assert answer.status_code == 200, answer.content
    assert answer.streaming
    return b"".join(answer.streaming_content)


def table(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


class TestCsv:
    def test_opens_in_a_spreadsheet_with_korean_names(self, sign_in: SignIn, auditor: User) -> None:
        write(target=Target("environment", "triflow.staging", "스테이징"), after={"이름": "값"})
        raw = content(sign_in(auditor), format="csv")
        assert raw.startswith(b"\xef\xbb\xbf")
        (row,) = table(raw)
        assert row["target_name"] == "스테이징"
        assert json.loads(row["after"]) == {"이름": "값"}
        assert row["at"].endswith("+00:00")

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
    def test_no_cell_is_a_formula(self, sign_in: SignIn, auditor: User, start: str) -> None:
        name = f'{start}HYPERLINK("http://evil.example","click")'
        write(target=Target("x", name, name), detail=name, actor=Actor("a", name, "user"))
        (row,) = table(content(sign_in(auditor), format="csv"))
        cells = [row["target_id"], row["target_name"], row["actor_name"], row["detail"]]
        assert [cell[0] for cell in cells] == ["'"] * 4

    def test_commas_quotes_and_lines_stay_in_their_cell(self, sign_in: SignIn, auditor: User) -> None:
        write(detail='a, "b"\nc')
        (row,) = table(content(sign_in(auditor), format="csv"))
        assert row["detail"] == 'a, "b"\nc'

    def test_has_the_same_filters_as_the_page(
        self, sign_in: SignIn, admin: User, tenant: Tenant, other_tenant: Tenant, events: Events
    ) -> None:
        client = sign_in(admin)
        rows = table(content(client, format="csv", tenant="onno"))
        assert [row["action"] for row in rows] == ["change.reject"]
        rows = table(content(client, format="csv", action="change."))
        assert [row["action"] for row in rows] == ["change.reject", "change.approve"]

    def test_more_than_one_batch_loses_nothing(
        self, sign_in: SignIn, auditor: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export, "AT_ONCE", 7)
        written = [write(after={"n": n}).sequence for n in range(22)]
        rows = table(content(sign_in(auditor), format="csv"))
        assert [int(row["sequence"]) for row in rows] == written[::-1]


class TestJsonLines:
    def test_each_line_proves_itself(self, sign_in: SignIn, auditor: User, events: Events) -> None:
        lines = [json.loads(line) for line in content(sign_in(auditor), format="jsonl").splitlines()]
        assert [line["sequence"] for line in lines] == [2, 1]
        assert lines[0]["previous_hash"] == lines[1]["hash"]
        again = lines[1] | {name: json.dumps(lines[1][name], sort_keys=True, separators=(",", ":"))
                            for name in ("actor_roles", "after", "before")}  # fmt: skip
        assert hash_of(again) == lines[1]["hash"] == events["ours"].hash


class TestRecord:
    def test_an_export_is_itself_an_event_of_the_tenant(
        self, sign_in: SignIn, auditor: User, events: Events
    ) -> None:
        raw = content(sign_in(auditor), format="csv", action="change.")
        event = last("audit.export")
        assert (event.chain, event.actor_id) == ("triflow", "auditor")
        assert event.after == {"format": "csv", "filters": {"action": "change."}}
        assert str(event.uuid) not in raw.decode()

    def test_of_everything_stands_in_the_portals_chain(
        self, sign_in: SignIn, admin: User, auditor: User, other_tenant: Tenant, events: Events
    ) -> None:
        content(sign_in(admin), format="jsonl")
        assert last("audit.export").chain == "portal"
        content(sign_in(admin), format="jsonl", tenant="triflow")
        assert last("audit.export").chain == "triflow"
        Membership.objects.create(user=auditor, tenant=other_tenant, role=Role.AUDITOR)
        content(sign_in(auditor), format="jsonl")
        assert last("audit.export").chain == "portal"

    def test_is_refused_to_others_and_that_is_written_down(
        self, sign_in: SignIn, operator: User, events: Events
    ) -> None:
        answer = sign_in(operator).get("/activity/export/?format=csv")
        assert answer.status_code == 403
        assert b"192.0.2.77" not in answer.content
        assert outcomes("audit.export") == [("operator", "refused")]

    @pytest.mark.parametrize("query", ["format=xls", "format=csv&since=never", "format=csv&tenant=onno"])
    def test_wrong_questions_are_refused_and_nothing_is_taken(
        self, sign_in: SignIn, auditor: User, events: Events, query: str
    ) -> None:
        assert sign_in(auditor).get(f"/activity/export/?{query}").status_code == 400
        assert outcomes("audit.export") == []


class TestApi:
    ALL = "/api/v1/audit-events/"

    def test_lists_newest_first_with_the_pages_filters(self, api: Api, auditor: User, events: Events) -> None:
        found = api(auditor).get(f"{self.ALL}?action=change.").json()["results"]
        assert [row["id"] for row in found] == [str(events["ours"].uuid)]
        assert found[0]["before"] == {"size": 1, "same": "x"}
        assert found[0]["actor_roles"] == ["operator"]

    def test_pages_by_key_in_the_same_number_of_queries(self, api: Api, auditor: User) -> None:
        client = api(auditor)
        for n in range(5):
            write(after={"n": n})
        path = f"{self.ALL}?action=change.approve&page_size=3"
        client.get(path)
        with CaptureQueriesContext(connection) as first:
            answer = client.get(path).json()
        with CaptureQueriesContext(connection) as second:
            rest = client.get(answer["next"]).json()
        assert [len(answer["results"]), len(rest["results"]), rest["next"]] == [3, 2, None]
        assert len(first) == len(second)

    def test_one(self, api: Api, auditor: User, events: Events) -> None:
        client = api(auditor)
        assert client.get(f"{self.ALL}{events['ours'].uuid}/").json()["address"] == "192.0.2.77"
        assert client.get(f"{self.ALL}{events['theirs'].uuid}/").status_code == 404
        assert client.get(f"{self.ALL}{events['portal'].uuid}/").status_code == 404

    @pytest.mark.parametrize("path", ["", "00000000-0000-0000-0000-000000000000/"])
    def test_is_refused_to_others_with_the_reason(
        self, api: Api, operator: User, events: Events, path: str
    ) -> None:
        answer = api(operator).get(self.ALL + path)
        assert answer.status_code == 403
        assert "auditors and admins" in answer.json()["detail"]

    def test_a_wrong_filter_names_it(self, api: Api, auditor: User, events: Events) -> None:
        answer = api(auditor).get(f"{self.ALL}?since=never")
        assert list(answer.json()["errors"]) == ["since"]

    def test_an_environments_token_does_not_read_the_log(
        self, api: Api, auditor: User, events: Events
    ) -> None:
        from portal.accounts.models import ApiToken

        client = api(auditor)
        ApiToken.objects.update(environment_id="triflow.staging")
        assert client.get(self.ALL).status_code == 403

    def test_nothing_can_be_written(self, api: Api, admin: User, events: Events) -> None:
        one = f"{self.ALL}{events['ours'].uuid}/"
        for ask in (api(admin).put, api(admin).patch, api(admin).delete):
            assert ask(one, {}, format="json").status_code == 405
        assert api(admin).post(self.ALL, {}, format="json").status_code == 405
