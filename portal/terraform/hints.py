"""From Terraform's and AWS's error texts to what a person can do about them.

Rules are tried in order; the first that matches wins, so the narrow ones stand before the wide ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from portal.terraform import hints_aws, hints_terraform

RULES = (*hints_terraform.FIRST, *hints_aws.RULES, *hints_terraform.LAST)


@dataclass(frozen=True, slots=True)
class Hint:
    """`title` and `remedy` are English sentences. `source`: "terraform", "aws" or "portal", whose word it
    was.

    To translate: `gettext(hint.title)` and `gettext(hint.template) % hint.details`.
    """

    code: str
    title: str
    template: str
    source: str
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def remedy(self) -> str:
        """What to do, with the details filled in."""
        return self.template % self.details

    def __str__(self) -> str:
        return self.remedy


def hint_for(text: str) -> Hint | None:
    """The hint for an error text (a diagnostic's summary and detail, or a whole log tail); None if
    nothing is known.
    """
    # Terraform wraps and frames what it prints for people.
    flat = re.sub(r"[\s│╷╵]+", " ", text[:200_000])
    for rule in RULES:
        found = rule.pattern.search(flat)
        if found:
            details = {name: value or "?" for name, value in found.groupdict().items()}
            return Hint(rule.code, rule.title, rule.remedy, rule.source, details)
    return None
