"""A boto client whose answers are laid out beforehand and held against AWS's own service model."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from portal.aws import sessions


class Fakes:
    """`fakes("ecr")` is a Stubber; every call of the adapters goes to it instead of to an account."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[Any, Stubber]] = {}

    def __call__(self, service: str) -> Stubber:
        if service not in self.made:
            client = boto3.client(
                service,
                region_name="ap-northeast-2",
                aws_access_key_id="x",
                aws_secret_access_key="x",
            )
            stubber = Stubber(client)
            stubber.activate()
            self.made[service] = client, stubber
        return self.made[service][1]

    def get(self, _access: Any, service: str) -> Any:
        self(service)
        return self.made[service][0]

    def done(self) -> None:
        """Every answer that was laid out was asked for."""
        for _client, stubber in self.made.values():
            stubber.assert_no_pending_responses()


def denied(stubber: Stubber, operation: str, message: str = "no") -> None:
    stubber.add_client_error(operation, "AccessDeniedException", message, 400)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    made = Fakes()
    monkeypatch.setattr(sessions, "_CLIENTS", made)
    return made
