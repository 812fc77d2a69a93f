"""What the tests of people share."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from portal.audit.models import AuditEvent
from tests.cast import *  # noqa: F403 - its fixtures

Events = Callable[[str], list[AuditEvent]]


@pytest.fixture
def events(db: None) -> Events:
    """The audit events of one action, oldest first."""

    def of(action: str) -> list[AuditEvent]:
        return list(AuditEvent.objects.filter(action=action).order_by("at", "pk"))

    return of


@pytest.fixture
def api_client_of() -> Callable[[str], APIClient]:
    """An API client that sends this text as its token."""

    def client_of(plain: str) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {plain}".encode())
        return client

    return client_of
