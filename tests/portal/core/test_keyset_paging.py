import base64
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.request import Request

from portal.core.errors import InvalidInput
from portal.core.pagination import KeysetPagination, keyset_page
from tests.portal.core.models import Item, Shelf

pytestmark = pytest.mark.django_db
NEWEST = ("-at", "-id")


@pytest.fixture
def items() -> list[Item]:
    start, shelves = timezone.now(), [Shelf.objects.create(name=name) for name in "ab"]
    # Three share each moment: the tie-break matters.
    return Item.objects.bulk_create(
        [Item(shelf=shelves[n % 2], at=start + timedelta(seconds=n // 3)) for n in range(23)]
    )


def walk(ordering: tuple[str, ...], size: int) -> list[list[int]]:
    pages, cursor = [], None
    while True:
        page = keyset_page(Item.objects.all(), ordering=ordering, cursor=cursor, size=size)
        pages.append([item.pk for item in page.rows])
        if page.older is None:
            return pages
        cursor = page.older


@pytest.mark.parametrize(
    "ordering", [NEWEST, ("at",), ("-at", "id"), ("shelf__name", "-at", "-id"), ("-pk",)]
)
@pytest.mark.parametrize("size", [1, 5, 23, 50])
def test_pages_hold_every_row_once_in_order(items: list[Item], ordering: tuple[str, ...], size: int) -> None:
    pages = walk(ordering, size)
    tie = () if ordering[-1].lstrip("-") in ("id", "pk") else ("pk",)
    assert [pk for page in pages for pk in page] == list(
        Item.objects.order_by(*ordering, *tie).values_list("pk", flat=True)
    )
    assert all(len(page) == size for page in pages[:-1])


def test_there_and_back_again(items: list[Item]) -> None:
    first = keyset_page(Item.objects.all(), ordering=NEWEST, cursor=None, size=10)
    second = keyset_page(Item.objects.all(), ordering=NEWEST, cursor=first.older, size=10)
    third = keyset_page(Item.objects.all(), ordering=NEWEST, cursor=second.older, size=10)
    assert first.newer is None
    assert (len(third.rows), third.older) == (3, None)
    back = keyset_page(Item.objects.all(), ordering=NEWEST, cursor=third.newer, size=10)
    assert back.rows == second.rows
    start = keyset_page(Item.objects.all(), ordering=NEWEST, cursor=back.newer, size=10)
    assert (start.rows, start.newer) == (first.rows, None)
    assert start.older == first.older


def test_rows_that_arrive_meanwhile_shift_nothing(items: list[Item]) -> None:
    first = keyset_page(Item.objects.all(), ordering=NEWEST, cursor=None, size=10)
    Item.objects.create(shelf=items[0].shelf, at=timezone.now() + timedelta(hours=1))
    second = keyset_page(Item.objects.all(), ordering=NEWEST, cursor=first.older, size=10)
    assert not {row.pk for row in first.rows} & {row.pk for row in second.rows}
    assert len(second.rows) == 10


def test_one_query_a_page(items: list[Item], django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        keyset_page(Item.objects.all(), ordering=NEWEST, cursor=None, size=10)


def test_an_empty_list() -> None:
    page = keyset_page(Item.objects.none(), ordering=NEWEST, cursor=None, size=10)
    assert (page.rows, page.older, page.newer) == ([], None, None)


def encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "%%%%",
        encode("[]"),
        encode("{}"),
        encode("7"),
        encode('["o"]'),
        encode('["z","2026-01-01",1]'),
        encode('["o","no time",1]'),
        encode('["o",null,1]'),
        encode('["o","2026-01-01T00:00:00Z",{}]'),
        encode('["o",[1],[2]]'),
    ],
)
def test_a_made_up_cursor_is_wrong_input(items: list[Item], cursor: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        keyset_page(Item.objects.all(), ordering=NEWEST, cursor=cursor, size=10)
    assert "cursor" in caught.value.errors


def test_a_cursor_beyond_every_number_finds_nothing(items: list[Item]) -> None:
    cursor = encode('["o","2026-01-01T00:00:00Z",-99999999999999999999999]')
    assert keyset_page(Item.objects.all(), ordering=NEWEST, cursor=cursor, size=10).rows == []


def test_columns_with_nulls_cannot_order_pages() -> None:
    with pytest.raises(ValueError, match="without nulls"):
        keyset_page(Item.objects.all(), ordering=("note",), cursor=None, size=10)


def ask(address: str, view: object) -> dict:
    paginator = KeysetPagination()
    rows = paginator.paginate_queryset(Item.objects.all(), Request(RequestFactory().get(address)), view)
    return paginator.get_paginated_response([row.pk for row in rows]).data


def test_the_api_shape_and_its_links(items: list[Item]) -> None:
    view = SimpleNamespace(ordering=NEWEST)
    first = ask("/api/items/?page_size=10&status=x", view)
    assert (set(first), first["previous"], len(first["results"])) == (
        {"results", "next", "previous"},
        None,
        10,
    )
    assert "status=x" in first["next"]
    second = ask(first["next"], view)
    third = ask(second["next"], view)
    assert (len(third["results"]), third["next"]) == (3, None)
    assert ask(third["previous"], view)["results"] == second["results"]


def test_without_a_declared_order_the_newest_come_first(items: list[Item]) -> None:
    assert ask("/api/items/", SimpleNamespace())["results"][0] == items[-1].pk


@pytest.mark.parametrize("size", ["0", "-1", "201", "many", "9" * 5000, "²", ""])
def test_a_wrong_page_size_is_refused(size: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ask(f"/api/items/?page_size={size}", SimpleNamespace())
    assert "page_size" in caught.value.errors
