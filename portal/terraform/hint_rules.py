"""The shape of one known error text. The rules themselves stand in hints_terraform and hints_aws."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` is searched in text whose white space and frames were flattened; its named groups fill
    the remedy.
    """

    code: str
    source: str
    pattern: re.Pattern[str]
    title: str
    remedy: str


def rule(code: str, source: str, pattern: str, title: str, remedy: str) -> Rule:
    """A rule; letter case does not matter in `pattern`."""
    return Rule(code, source, re.compile(pattern, re.IGNORECASE), title, remedy)
