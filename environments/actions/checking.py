"""Turning a model's own validation into the errors that forms and API show, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db.models import Model
from django.utils.translation import gettext as _

from portal.core.errors import InvalidInput


def check(row: Model, *, exclude: tuple[str, ...] = ()) -> None:
    """Raise InvalidInput naming each wrong field of an unsaved or altered row."""
    try:
        row.full_clean(exclude=set(exclude))
    except ValidationError as error:
        raise InvalidInput(
            {("" if field == "__all__" else field): texts for field, texts in error.message_dict.items()}
        ) from None


def links(raw: Any) -> list[dict[str, str]]:
    """Links as [{title, url}]: http and https only. Raises InvalidInput."""
    if not isinstance(raw, list):
        raise InvalidInput({"links": [_("Give a list of links, each with a title and a url.")]})
    found: list[dict[str, str]] = []
    for item in raw:
        url = str(item.get("url", "")).strip() if isinstance(item, Mapping) else ""
        try:
            URLValidator(schemes=["http", "https"])(url)
        except ValidationError:
            raise InvalidInput(
                {"links": [_("“%(url)s” is no address; start with https://.") % {"url": url[:80]}]}
            ) from None
        found.append({"title": str(item.get("title") or url)[:120], "url": url})
    return found


def facts(row: Model, names: tuple[str, ...]) -> dict[str, Any]:
    """The named fields of a row, for the audit log's before and after."""
    return {
        name: getattr(row, f"{name}_id", None) if hasattr(row, f"{name}_id") else getattr(row, name)
        for name in names
    }
