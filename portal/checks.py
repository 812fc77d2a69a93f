"""What must be true before the portal holds real accounts: `manage.py check` refuses, and says what to do.

Judged when GATEHOUSE_PRODUCTION is on; docs/operations.md has the settings in one table.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

LOCAL = frozenset({"localhost", "127.0.0.1", "::1", ""})
SECRET_LENGTH = 50


@register()
def production_settings(**kwargs: object) -> list[CheckMessage]:
    """All findings; [] outside production."""
    if not settings.PRODUCTION:
        return []
    return [*_secrets(), *_addresses(), *_services(), *_proxies()]


def _secrets() -> Iterator[CheckMessage]:
    generated = settings.SECRET_KEY_FILE.exists() and _text(settings.SECRET_KEY_FILE) == settings.SECRET_KEY
    if generated or len(settings.SECRET_KEY) < SECRET_LENGTH:
        yield Error(
            "SECRET_KEY is not set, or too short.",
            hint=f"Set SECRET_KEY in the environment of every process to the same {SECRET_LENGTH} or more"
            " random characters: python -c 'import secrets; print(secrets.token_urlsafe(64))'",
            id="portal.E001",
        )
    if settings.DEBUG:
        yield Error(
            "DEBUG is on: error pages would show settings and variables to anybody.",
            hint="Remove DEBUG from the environment and from .env.",
            id="portal.E002",
        )
    near = [
        folder
        for folder in (settings.BASE_DIR, settings.DATA_DIR)
        if _inside(settings.GATEHOUSE_KEYRING_FILE, folder)
    ]
    if not settings.GATEHOUSE_KEYRING and near:
        yield Error(
            "The keyring lies beside what it encrypts: who copies the folder has both.",
            hint="Set GATEHOUSE_KEYRING from a secret store, or GATEHOUSE_KEYRING_FILE to a file outside"
            f" {near[0]} that only the portal's user can read.",
            id="portal.E003",
        )
    if _inside(settings.AUDIT_CHECKPOINT_DIR, settings.BASE_DIR):
        yield Warning(
            "Audit checkpoints are kept in the program's own folder.",
            hint="Set AUDIT_CHECKPOINT_DIR to a place that whoever administers the database cannot change.",
            id="portal.W004",
        )


def _addresses() -> Iterator[CheckMessage]:
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS does not name the portal's host.",
            hint="Set ALLOWED_HOSTS to the host names people type, for example: gatehouse.example.com",
            id="portal.E005",
        )
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme != "https" or public.hostname in LOCAL:
        yield Error(
            f"GATEHOUSE_PUBLIC_URL is {settings.PUBLIC_URL}, which nobody else can open safely.",
            hint="Set it to the https address people use: links in Slack and e-mail begin with it.",
            id="portal.E006",
        )


def _services() -> Iterator[CheckMessage]:
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield Warning(
            "The database is SQLite: one machine, one writer at a time.",
            hint="Set DATABASE_URL=postgres://user:password@host/database.",
            id="portal.W007",
        )
    if settings.CELERY_BROKER_URL.startswith("portalfs:"):
        yield Warning(
            "The broker is a folder: all workers must be on this machine.",
            hint="Set CELERY_BROKER_URL, for example: rediss://host:6379/0",
            id="portal.W008",
        )
    if settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend")):
        yield Warning(
            "E-mail is written to the log instead of being sent.",
            hint="Set EMAIL_URL, for example: smtp+tls://user:password@host:587",
            id="portal.W009",
        )


def _proxies() -> Iterator[CheckMessage]:
    behind = getattr(settings, "SECURE_PROXY_SSL_HEADER", None) is not None
    if behind and not settings.REST_FRAMEWORK["NUM_PROXIES"]:
        yield Warning(
            "The portal is behind a proxy but counts none: the audit log would show the proxy's address.",
            hint="Set GATEHOUSE_NUM_PROXIES to the number of proxies in front, mostly 1.",
            id="portal.W010",
        )
    if settings.SECURE_SSL_REDIRECT and not behind:
        yield Warning(
            "Plain HTTP is redirected to HTTPS, but this process speaks only HTTP.",
            hint="Behind a proxy that ends TLS set GATEHOUSE_BEHIND_PROXY=true.",
            id="portal.W011",
        )


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
