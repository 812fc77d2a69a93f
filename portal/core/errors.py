"""What can go wrong in words a person reads: one exception per kind of answer.

Actions raise these; pages (middleware.py) and the API (problems.py) turn them into an answer of the
same status, so an act refuses alike whoever asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Text = str | _StrPromise


class GatehouseError(Exception):
    """A failure with a sentence for the person.

    `message` is the sentence, `hint` what to do about it, `code` a stable word for programs.
    Texts are translated when the error is raised, in the language of whoever asked.
    """

    status: ClassVar[int] = 500
    title: ClassVar[Text] = _("Something went wrong")
    default_code: ClassVar[str] = "error"

    def __init__(self, message: Text, *, hint: Text = "", code: str = "") -> None:
        self.message = str(message)
        self.hint = str(hint)
        self.code = code or self.default_code
        super().__init__(self.message)


class NotAllowed(GatehouseError):
    """The person may see this but not do it; the message is the reason."""

    status = 403
    title = _("Not allowed")
    default_code = "not-allowed"


class NotFound(GatehouseError):
    """It does not exist, or the person may not know that it does."""

    status = 404
    title = _("Not found")
    default_code = "not-found"


class StaleState(GatehouseError):
    """Somebody else moved the row first: what the person saw no longer holds."""

    status = 409
    title = _("This has changed in the meantime")
    default_code = "stale-state"


class Conflict(GatehouseError):
    """The act does not fit the present state, whoever asks."""

    status = 409
    title = _("Not possible right now")
    default_code = "conflict"


class InvalidInput(GatehouseError):
    """What was sent is wrong, field by field.

    `errors` maps a field's name to its messages; the key "" holds what concerns the whole input.
    A plain text is taken as a message about the whole.
    """

    status = 400
    title = _("Please check what you entered")
    default_code = "invalid-input"

    def __init__(
        self,
        errors: Mapping[str, Iterable[Text]] | Text,
        *,
        hint: Text = "",
        code: str = "",
    ) -> None:
        pairs = errors if isinstance(errors, Mapping) else {"": [errors]}
        self.errors: dict[str, list[str]] = {
            field: [str(text) for text in texts] for field, texts in pairs.items()
        }
        sentences = [
            f"{field}: {text}" if field else text for field, texts in self.errors.items() for text in texts
        ]
        super().__init__(" ".join(sentences), hint=hint, code=code)
