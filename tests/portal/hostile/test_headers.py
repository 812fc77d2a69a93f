"""What a browser is told to refuse: inline scripts and styles, frames, plain HTTP; and that pages need none of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.test import Client

from tests.portal.hostile.conftest import Scene, undone
from tests.portal.hostile.test_pages_refuse import addresses

INLINE: Final = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")|<style\b|\sstyle=\"|\son[a-z]+=\"|javascript:",
    re.IGNORECASE,
)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["operator", "approver", "admin"])
def test_no_page_needs_what_the_policy_forbids(scene: Scene, clients: dict[str, Client], role: str) -> None:
    seen = 0
    for address in addresses(scene):
        with undone(clients[role]):
            answer = clients[role].get(address)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy, address
        assert "frame-ancestors 'none'" in policy, address
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        if answer.get("Content-Type", "").startswith("text/html") and not answer.streaming:
            found = INLINE.search(answer.content.decode())
            assert found is None, f"{address}: {found and answer.content.decode()[found.start() :][:120]}"
            seen += 1
    assert seen > 40


def test_the_search_would_find_them() -> None:
    for inline in (
        "<script>go()</script>",
        '<p style="color:red">',
        '<a onclick="go()">',
        "<style>p{}</style>",
    ):
        assert INLINE.search(inline), inline
    assert not INLINE.search('<script src="/static/a.js" defer></script>')


def _settings_in_production(tmp_path: Path, **given: str) -> subprocess.CompletedProcess[str]:
    names = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SECURE_HSTS_SECONDS"]
    names += ["SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_SSL_REDIRECT", "DEBUG"]
    code = f"import json; from portal import settings as s; print(json.dumps({{n: getattr(s, n) for n in {names}}}))"
    environ = {
        name: text for name, text in os.environ.items() if not name.startswith(("GATEHOUSE_", "DJANGO_"))
    }
    environ |= {"GATEHOUSE_PRODUCTION": "true", "GATEHOUSE_DATA_DIR": str(tmp_path), **given}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_speaks_https_only(tmp_path: Path) -> None:
    ran = _settings_in_production(tmp_path, SECRET_KEY="x" * 60, ALLOWED_HOSTS="portal.example.com")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found == {
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "SECURE_SSL_REDIRECT": True,
        "DEBUG": False,
    }


@pytest.mark.django_db
def test_a_browser_over_https_is_told_to_stay_there(settings) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = 3600, True
    client = Client()
    plain = client.get("/accounts/sign-in/")
    assert (plain.status_code, plain["Location"]) == (301, "https://testserver/accounts/sign-in/")
    assert "max-age=3600" in client.get("/accounts/sign-in/", secure=True)["Strict-Transport-Security"]
