"""A portal with something in it, a folder for backups, and the commands as a person types them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection

from environments.models import Definition, Environment
from environments.runs.models import StateVersion
from tests.cast import *  # noqa: F403
from tests.environments.changes.conftest import fake  # noqa: F401
from tests.environments.runs.crafted import state_document

SECRET = "the database password 8152"


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    """A data folder and a keyring of this test's own: a restore may replace both."""
    from portal.core import keyring

    settings.DATA_DIR = tmp_path / "data"
    settings.GATEHOUSE_KEYRING_FILE = tmp_path / "data" / "keyring"
    keyring.forget()
    yield
    connection.close()
    keyring.forget()


@pytest.fixture
def place(tenant: Any) -> Environment:
    return Environment.objects.create(
        tenant=tenant, slug="prod", name="prod", environment_class="production", blueprint="steps"
    )


@pytest.fixture
def filled(place: Environment, operator: Any) -> Environment:
    """A definition with a secret and a state version."""
    Definition.objects.create(
        environment=place,
        number=1,
        blueprint="steps",
        snapshot="0" * 64,
        sensitive={"password": SECRET},
        author=operator,
    )
    version(place, 1, serial=1)
    return place


def version(place: Environment, number: int, *, serial: int) -> StateVersion:
    content = state_document(serial=serial)
    return StateVersion.objects.create(
        environment=place,
        number=number,
        lineage="one",
        serial=serial,
        size=len(content),
        md5="0" * 32,
        content=content,
        written_by="a test",
    )


def type_(*words: Any, **options: Any) -> str:
    """What a command printed."""
    told = StringIO()
    call_command(*map(str, words), stdout=told, **options)
    return told.getvalue()


def database_name() -> str:
    return str(django_settings.DATABASES["default"]["NAME"] and connection.settings_dict["NAME"]).rpartition(
        "/"
    )[2]
