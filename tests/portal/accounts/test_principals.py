"""Who acts, from where."""

import pytest

from portal.accounts.principals import SYSTEM, address_of, principal_of, worker
from tests.cast import by


@pytest.fixture
def proxies(settings):
    def declare(number: int) -> None:
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": number}

    return declare


@pytest.mark.parametrize(
    ("number", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "10.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "", "10.0.0.1"),
        (1, " , ", "10.0.0.1"),
    ],
)
def test_the_address_believes_declared_proxies_only(rf, proxies, number, forwarded, expected):
    proxies(number)
    assert address_of(rf.get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)) == expected


def test_a_stranger_has_an_address_and_no_name(rf):
    from django.contrib.auth.models import AnonymousUser

    request = rf.get("/", REMOTE_ADDR="10.0.0.1")
    request.user = AnonymousUser()
    principal = principal_of(request)
    assert (principal.user, principal.name, principal.address) == (None, "anonymous", "10.0.0.1")
    assert not principal.is_portal_admin


def test_actors(operator, admin):
    assert by(operator).actor(["operator"]).roles == ("operator",)
    assert by(admin).actor(["admin"]).roles == ("admin", "portal-admin")
    assert (SYSTEM.actor().kind, SYSTEM.actor().id) == ("system", "portal")
    assert worker("w1@host").actor().id == "w1@host"
