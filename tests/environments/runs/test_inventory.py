"""What a state makes of the inventory: one row an address, nothing that a database refuses."""

from __future__ import annotations

import pytest

from environments.models import Environment, Resource
from environments.runs import inventory
from tests.environments.runs.states import keep
from tests.portal.terraform.documents import instance, resource

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(tenant):
    return Environment.objects.create(tenant=tenant, slug="here", name="here", environment_class="staging")


@pytest.mark.parametrize("left_first", (True, False))
def test_beside_what_a_replacement_left_behind_the_present_one_counts(here, left_first):
    present, left = instance({"id": "now"}), instance({"id": "left"}, deposed="0badcafe")
    keep(here, resource("aws_a", "a", *((left, present) if left_first else (present, left))))
    assert inventory.refresh(here) == 1
    assert Resource.objects.get().provider_id == "now"


def test_of_one_that_is_only_left_behind_the_inventory_knows(here):
    keep(here, resource("aws_a", "a", instance({"id": "left"}, deposed="0badcafe")))
    inventory.refresh(here)
    assert Resource.objects.get().provider_id == "left"


def test_texts_that_no_database_keeps_are_shown_as_such(here):
    odd = {
        "id": "i",
        "nul": "a\x00b",
        "half": "\ud800",
        "pair": "😀",
        "in": [{"k\x00": "\x00"}],
        "n": 1.5,
        "no": None,
    }
    keep(here, resource("aws_a", "a", instance(odd)))
    inventory.refresh(here)
    kept = Resource.objects.get().attributes
    assert "\x00" not in str(kept)
    assert (kept["nul"], kept["half"], kept["pair"]) == ("a\ufffdb", "?", "😀")
    assert (kept["n"], kept["no"]) == (1.5, None)
