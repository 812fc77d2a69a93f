"""The state backend spoken to as Terraform speaks to it, and the documents it is sent."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.db import transaction
from django.test import Client

from environments.changes import actions as changes
from environments.changes.models import Change
from environments.models import Environment
from environments.runs import credentials
from tests.cast import by

LINEAGE = "0d5a2b0e-0000-4000-8000-000000000001"


def change_of(environment: Environment, user: Any) -> Change:
    with transaction.atomic():
        return changes.request(by=by(user), environment=environment, kind="terraform_run", title="Run it")


def document(*, serial: int = 1, lineage: str = LINEAGE, padding: int = 0) -> bytes:
    return json.dumps(
        {
            "version": 4,
            "terraform_version": "1.11.4",
            "serial": serial,
            "lineage": lineage,
            "outputs": {"padding": {"value": "x" * padding, "type": "string"}},
            "resources": [],
        }
    ).encode()


class Terraform:
    """Speaks the protocol as Terraform does, with one sign-in."""

    def __init__(self, environment: Environment, user: str = "", password: str = "") -> None:
        self.url = f"/state/{environment.tenant.slug}/{environment.slug}"
        # Whoever speaks here has no cookie and no CSRF token.
        self.client = Client(enforce_csrf_checks=True)
        self.headers = {}
        if password:
            word = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.headers["HTTP_AUTHORIZATION"] = f"Basic {word}"

    def call(self, method: str, body: bytes = b"", query: str = "", **headers: str) -> Any:
        return self.client.generic(
            method, self.url + query, body, "application/json", **self.headers, **headers
        )

    def lock(self, lock_id: str) -> Any:
        return self.call("LOCK", json.dumps({"ID": lock_id, "Who": "me@here", "Operation": "Apply"}).encode())

    def unlock(self, lock_id: str) -> Any:
        return self.call("UNLOCK", json.dumps({"ID": lock_id}).encode())

    def write(self, body: bytes, lock_id: str, **headers: str) -> Any:
        return self.call("POST", body, f"?ID={lock_id}", **headers)


def run_of(change: Change, *, fence: int = 1, may_write: bool = True) -> Terraform:
    issued = credentials.issue(change, fence=fence, may_write=may_write)
    return Terraform(change.environment, issued.username, issued.password)
