import threading

import pytest
from django.db import connection
from django.utils import timezone

from portal.core import clock
from portal.core.cas import compare_and_set
from portal.core.errors import StaleState
from tests.portal.core.models import Item, Shelf


@pytest.fixture
def item(db: None) -> Item:
    return Item.objects.create(shelf=Shelf.objects.create(name="a"), at=timezone.now())


def test_moves_the_one_row(item: Item) -> None:
    compare_and_set(Item.objects.filter(pk=item.pk, status="requested"), status="approved")
    item.refresh_from_db()
    assert item.status == "approved"


def test_a_moved_row_is_stale(item: Item) -> None:
    Item.objects.filter(pk=item.pk).update(status="cancelled")
    with pytest.raises(StaleState):
        compare_and_set(Item.objects.filter(pk=item.pk, status="requested"), status="approved")
    item.refresh_from_db()
    assert item.status == "cancelled"


def test_more_than_one_row_changes_nothing(item: Item) -> None:
    Item.objects.create(shelf=item.shelf, at=timezone.now())
    with pytest.raises(StaleState):
        compare_and_set(Item.objects.filter(status="requested"), status="approved")
    assert set(Item.objects.values_list("status", flat=True)) == {"requested"}


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_one_wins() -> None:
    item = Item.objects.create(shelf=Shelf.objects.create(name="a"), at=timezone.now())
    barrier, results = threading.Barrier(20), []

    def press() -> None:
        barrier.wait()
        try:
            compare_and_set(Item.objects.filter(pk=item.pk, status="requested"), status="approved")
            results.append("moved")
        except StaleState:
            results.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["moved"] + ["stale"] * 19


def test_database_time_is_aware_and_current(db: None) -> None:
    assert abs((clock.now() - clock.local_now()).total_seconds()) < 5
    assert clock.now().utcoffset() is not None
