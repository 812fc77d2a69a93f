"""Every unsafe production setting is refused by its own check, with a hint."""

from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from portal.checks import production_settings


@pytest.fixture
def production(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A production that is all well."""
    settings.PRODUCTION = True
    settings.DEBUG = False
    settings.SECRET_KEY = "k" * 64
    settings.BASE_DIR = tmp_path / "clone"
    settings.DATA_DIR = tmp_path / "data"
    settings.GATEHOUSE_KEYRING = ""
    settings.GATEHOUSE_KEYRING_FILE = tmp_path / "secrets" / "keyring"
    settings.AUDIT_CHECKPOINT_DIR = tmp_path / "checkpoints"
    settings.ALLOWED_HOSTS = ["gatehouse.example.com"]
    settings.PUBLIC_URL = "https://gatehouse.example.com"
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    settings.CELERY_BROKER_URL = "rediss://redis.example.com/0"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    return settings


def test_a_good_production_passes(production: Settings) -> None:
    assert production_settings() == []


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("SECRET_KEY", "short", "portal.E001"),
        ("DEBUG", True, "portal.E002"),
        ("AUDIT_CHECKPOINT_DIR", "{clone}/checkpoints", "portal.W004"),
        ("GATEHOUSE_KEYRING_FILE", "{clone}/keyring", "portal.E003"),
        ("GATEHOUSE_KEYRING_FILE", "{data}/keyring", "portal.E003"),
        ("ALLOWED_HOSTS", [], "portal.E005"),
        ("ALLOWED_HOSTS", ["*"], "portal.E005"),
        ("PUBLIC_URL", "http://gatehouse.example.com", "portal.E006"),
        ("PUBLIC_URL", "https://127.0.0.1:8000", "portal.E006"),
        ("CELERY_BROKER_URL", "portalfs:///var/broker", "portal.W008"),
        ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "portal.W009"),
        ("REST_FRAMEWORK", {"NUM_PROXIES": 0}, "portal.W010"),
        ("SECURE_PROXY_SSL_HEADER", None, "portal.W011"),
    ],
)
def test_each_fault_has_its_own_finding_and_a_hint(
    production: Settings, name: str, value: object, finding: str
) -> None:
    if isinstance(value, str) and value.startswith("{"):
        value = Path(value.format(clone=production.BASE_DIR, data=production.DATA_DIR))
    setattr(production, name, value)
    found = production_settings()
    assert [message.id for message in found] == [finding]
    assert found[0].hint


def test_sqlite_is_warned_of(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(production.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert [message.id for message in production_settings()] == ["portal.W007"]


def test_a_key_that_was_made_by_itself_is_not_enough(production: Settings, tmp_path: Path) -> None:
    production.SECRET_KEY_FILE = tmp_path / "secret-key"
    production.SECRET_KEY_FILE.write_text(production.SECRET_KEY)
    assert [message.id for message in production_settings()] == ["portal.E001"]


def test_a_keyring_in_the_environment_is_fine_wherever_the_file_would_be(production: Settings) -> None:
    production.GATEHOUSE_KEYRING = "a:key"
    production.GATEHOUSE_KEYRING_FILE = production.DATA_DIR / "keyring"
    assert production_settings() == []


def test_the_check_is_registered_and_silent_in_development(production: Settings) -> None:
    production.DEBUG = True
    assert "portal.E002" in {message.id for message in run_checks()}
    production.PRODUCTION = False
    assert production_settings() == []
