"""A folder of blueprints with the workshop in it, and an environment built from it."""

import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from environments.models import Environment, Tenant
from tests.cast import *  # noqa: F403

WORKSHOP = Path(__file__).parent / "fixtures" / "workshop"


@pytest.fixture
def workshop(tmp_path: Path, settings: Settings) -> Path:
    folder = tmp_path / "terraform" / "blueprints" / "workshop"
    shutil.copytree(WORKSHOP, folder)
    settings.BLUEPRINT_DIRS = [folder.parent]
    return folder


@pytest.fixture
def environment(workshop: Path, tenant: Tenant) -> Environment:
    return Environment.objects.create(tenant=tenant, slug="staging", name="Staging", blueprint="workshop")


@pytest.fixture
def production(workshop: Path, tenant: Tenant) -> Environment:
    return Environment.objects.create(
        tenant=tenant, slug="production", name="Production", blueprint="workshop"
    )
