"""Sending one row as one column, and the mark of what came back. Nothing of it stays."""

from __future__ import annotations

import base64
import json
from http.cookies import SimpleCookie
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.role_matrix.rows import COLUMNS, HIDDEN, NO, NOT_NOW, SIGN_IN, YES, Row
from tests.role_matrix.stage import Stage

# What a parameter of an address means where its row does not say.
DEFAULTS = {
    "tenant": "triflow",
    "slug": "production",
    "uuid": "{awaiting}",
    "number": "1",
    "username": "{person}",
    "prefix": "{prefix}",
    "pk": "{account}",
}
# Nothing that an outsider is let into may hold this, in any spelling of addresses, names or ids.
TENANT = b"triflow"


def address_of(row: Row, stage: Stage, parameters: list[str]) -> str:
    defaults = {**DEFAULTS, "environment": "{here}" if row.is_api else "production"}
    wanted = {name: stage.filled(row.args.get(name, defaults.get(name, ""))) for name in parameters}
    return reverse(row.view, kwargs=wanted)


class Callers:
    """A client for each column, with its session or token."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._client = Client(raise_request_exception=False)
        self._cookies: dict[str, str] = {}
        for name in COLUMNS:
            client = Client()
            if name not in ("anonymous", "token"):
                client.force_login(stage.people[name])
            self._cookies[name] = client.cookies.output(header="", sep=";")

    def _headers(self, row: Row, column: str) -> dict[str, str]:
        secret = self.stage.secrets.get(column, "")
        if row.is_machine and secret:
            words = base64.b64encode(f"{column}:{secret}".encode()).decode()
            return {"authorization": f"Basic {words}"}
        return {"authorization": f"Token {secret}"} if column == "token" else {}

    def mark(self, row: Row, column: str, address: str) -> str:
        """The mark of the answer; everything the call did is undone."""
        cache.clear()
        self._client.cookies = SimpleCookie(self._cookies[column])
        # A bare savepoint: within an atomic block of ours no record of a refusal could be durable.
        before = transaction.savepoint()
        try:
            answer = self._send(row, address, self._headers(row, column))
            if column == "outsider" and answer.status_code < 300 and TENANT in content_of(answer).lower():
                return "told of the tenant"
            return mark_of(answer, row)
        finally:
            transaction.savepoint_rollback(before)

    def _send(self, row: Row, address: str, headers: dict[str, str]) -> Any:
        query, data = self.stage.filled(row.query), self.stage.filled(row.data)
        if row.method == "GET":
            return self._client.get(address, query, headers=headers)
        if row.is_api or row.is_machine:
            body, kind = json.dumps(data), "application/json"
            return self._client.generic(row.method, address, body, kind, query_params=query, headers=headers)
        return self._client.post(address, data, headers=headers)


def content_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def mark_of(answer: Any, row: Row) -> str:
    """One of the marks, or the status when it is none that a row may declare."""
    status = answer.status_code
    if (row.view, status) == ("readyz", 503):
        # Nothing but the test runs; the answer says so to whoever asks.
        return YES
    if row.is_machine and status == 423:
        # How Terraform's protocol lets a refusal reach its user.
        return NO
    if status == 401 or (status == 302 and answer.url.startswith("/accounts/sign-in/")):
        return SIGN_IN
    if status in (403, 404, 409):
        return {403: NO, 404: HIDDEN, 409: NOT_NOW}[status]
    return YES if status < 401 else str(status)
