from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from portal.core.canonical import canonical_json, digest


def test_order_and_spelling_do_not_matter() -> None:
    assert canonical_json({"b": 1, "a": ["ü", None, True]}) == '{"a":["ü",null,true],"b":1}'.encode()
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
    assert digest([1, 2]) != digest([2, 1])


def test_times_are_one_instant_whatever_their_zone() -> None:
    utc = datetime(2026, 1, 1, 12, tzinfo=UTC)
    seoul = utc.astimezone(timezone(timedelta(hours=9)))
    assert canonical_json(seoul) == canonical_json(utc) == b'"2026-01-01T12:00:00+00:00"'
    assert canonical_json(date(2026, 1, 1)) == b'"2026-01-01"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.10"), b"1.1"),
        (Decimal("3.00"), b"3"),
        (Decimal("12345678901234567890"), b"12345678901234567890"),
        (Decimal("0.1234567890123456789"), b'"0.1234567890123456789"'),
        (UUID(int=7), b'"00000000-0000-0000-0000-000000000007"'),
        ({"b", "a"}, b'["a","b"]'),
        (gettext_lazy("Plan"), b'"Plan"'),
    ],
)
def test_values_json_does_not_know(value: object, text: bytes) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"bytes"])
def test_what_has_no_exact_form_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical_json(value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_are_exact(value: Decimal) -> None:
    assert Decimal(canonical_json(value).decode().strip('"')) == value
