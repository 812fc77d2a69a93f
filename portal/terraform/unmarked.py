"""Secrets that nobody marked: told by the name they go under, or by what they look like.

A provider does not mark the environment of a container, and a blueprint may forget to. What stands here
under a name like DB_PASSWORD, as the password of an address, or as a private key is treated as if it were
marked. A value that neither a mark, a name nor its form gives away cannot be known to be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from portal.terraform.documents import any_mark, child, embedded, leaves

# The last words of a name. “_name”, “_arn”, “_id”, “_length” and the like come after them in names of harmless facts.
_SECRET = re.compile(
    r"(?:password|passwd|passphrase)$|(?:^|_)(?:passcode|secret|token|bearer|credential|connection_string"
    r"|secret_(?:string|binary|value)|(?:api|access|auth|secret|private|signing|encryption|master|account|shared"
    r"|license|service|webhook|session)_?key)$"
)
# In the environment of a process words are shorter, and there is no "http_tokens = required".
_SECRET_VARIABLE = re.compile(
    r"(?:_|^)(?:[A-Z0-9]+_(?:PASS|PWD|KEY|AUTH)|PASS|PASSWORDS|SECRETS|TOKENS|CREDENTIALS|DSN)$"
)
_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# What stands under such a name and only says where the secret is: an ARN, a reference, a path.
_PLACE = re.compile(r"arn:|\{\{|\$\{|/[\w.-]+/[\w./-]*\Z")
# A word or words of an API, or an address without a password.
_WORDS = re.compile(r"[A-Za-z]+(?:[_. -][A-Za-z]+)*\Z|https?://[^@]*\Z")
ADDRESS_PASSWORD = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@'\"]*:([^\s/@'\"]+)@")
_TELLING = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bgh[opsur]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bxox[abpros]-[\w-]{10,}"
)
_PASSWORD = re.compile(r"pass|pwd", re.IGNORECASE)
_PAIRS = (("name", "value"), ("Name", "Value"), ("key", "value"), ("Key", "Value"))


@lru_cache(maxsize=20_000)
def names_secret(name: str) -> bool:
    """Whether what goes under this name is a secret, such as db_password, apiToken or SMTP_PASS."""
    if name.isupper() and _SECRET_VARIABLE.search(name):
        return True
    return bool(_SECRET.search(_WORD_ENDS.sub("_", name).replace("-", "_").replace(".", "_").lower()))


def tells_itself(text: str) -> bool:
    """Whether the text is a secret by its form: an address with a password, a private key, a known kind of token."""
    return bool(
        ("://" in text and ADDRESS_PASSWORD.search(text)) or (len(text) > 14 and _TELLING.search(text))
    )


def looks_random(text: str) -> bool:
    """Whether a text can hardly be an everyday word, so that it may be hidden wherever it occurs."""
    return len(text) >= 20 or (
        len(text) >= 8 and bool(re.search(r"[A-Za-z]", text)) and bool(re.search(r"\d|[^\w.\-/]", text))
    )


def _is_value(value: Any, name: str) -> bool:
    """Whether a secret stands under this name here, rather than the place of one or a plain word.

    A password may well be a plain word; other things under such names are so often words of an API
    ("token": "required") that only what looks random counts.
    """
    if not isinstance(value, str) or not value or _PLACE.match(value):
        return False
    return bool(_PASSWORD.search(name)) or (looks_random(value) and not _WORDS.match(value))


def with_guesses(value: Any, marks: Any = None) -> Any:
    """The mark tree `marks` of `value` (documents.child) with marks added for what nobody marked."""
    if marks is True:
        return True
    if isinstance(value, dict):
        return _object(value, marks)
    if isinstance(value, list):
        parts = [with_guesses(part, child(marks, index)) for index, part in enumerate(value)]
        return parts if any(map(any_mark, parts)) else marks
    # A text that is JSON is opened where it is masked, so that what is harmless in it stays readable.
    if isinstance(value, str) and tells_itself(value) and embedded(value) is None:
        return True
    return marks


def _object(value: dict[str, Any], marks: Any) -> Any:
    tree = dict(marks) if isinstance(marks, dict) else {}
    for key, part in value.items():
        name = str(key)
        found = (names_secret(name) and _is_value(part, name)) or with_guesses(part, child(marks, key))
        if any_mark(found):
            tree[name] = found
    for name_key, value_key in _PAIRS:
        told = value.get(name_key)
        if isinstance(told, str) and names_secret(told) and _is_value(value.get(value_key), told):
            tree[value_key] = True
    return tree or marks


def reveals(text: str) -> bool:
    """Whether a text holds an unmarked secret: by its form, or in the JSON that it is."""
    inside = embedded(text)
    return tells_itself(text) if inside is None else any_mark(with_guesses(inside))


def unmarked_secrets(value: Any) -> Iterator[str]:
    """Texts worth hiding wherever they occur: unmarked secrets that look random, passwords of addresses."""
    for leaf, secret in leaves(value, with_guesses(value)):
        if not isinstance(leaf, str):
            continue
        if secret:
            yield from _hidden(leaf)
        else:
            inside = embedded(leaf)
            if inside is not None:
                yield from unmarked_secrets(inside)


def _hidden(leaf: str) -> Iterator[str]:
    passwords = ADDRESS_PASSWORD.findall(leaf)
    for text in passwords or [leaf]:
        if looks_random(text):
            yield text
