"""What a row of the role matrix says, and the short words to say it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from environments.models import Role

YES: Final = "✓"
NOT_NOW: Final = "○"
NO: Final = "✗"
HIDDEN: Final = "–"
SIGN_IN: Final = "→"

ROLES: Final = tuple(Role.values)
# The columns, in the order of the document. "token" is a token with the scope "read" of somebody with every role.
COLUMNS: Final = ("anonymous", "outsider", *ROLES, "portal_admin", "token")
SAFE: Final = frozenset({"GET"})

Marks = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One call: what is sent where, and what each column is expected to get.

    Strings in `args`, `query` and `data` may name a thing of the stage: "{awaiting}".
    """

    method: str
    view: str
    who: Marks
    args: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def is_api(self) -> bool:
        return self.view.startswith("api:")

    @property
    def is_machine(self) -> bool:
        return self.view == "runs:state_backend"

    def expected(self) -> dict[str, str]:
        """A mark for each column; what `who` leaves open follows from the rest."""
        found = {name: self.who.get(name, self.who.get("*", NO)) for name in COLUMNS}
        found["anonymous"] = self.who.get("anonymous", SIGN_IN)
        found["outsider"] = self.who.get("outsider", HIDDEN)
        found["portal_admin"] = self.who.get("portal_admin", found["admin"])
        found["token"] = self.who.get("token", self._token(found))
        return found

    def _token(self, found: Mapping[str, str]) -> str:
        if not (self.is_api or self.is_machine):
            # Pages know sessions only.
            return found["anonymous"]
        if self.method not in SAFE:
            return NO
        return YES if YES in {found[name] for name in ROLES} else found["viewer"]


def may(roles: str, rest: str = NO, **others: str) -> Marks:
    """These roles of the tenant may (a portal administrator counts as admin); other members get `rest`."""
    return {"*": rest, **dict.fromkeys(roles.split(), YES), **others}


# Whoever has any role in the tenant.
MEMBERS: Final = may(" ".join(ROLES))
# Whoever signed in; the page holds what they may see.
SIGNED_IN: Final = {**MEMBERS, "outsider": YES}
EVERYBODY: Final = {**SIGNED_IN, "anonymous": YES, "token": YES}
NOBODY: Final = may("")
PORTAL_ADMINS: Final = {"*": NO, "outsider": NO, "portal_admin": YES}


def get(view: str, who: Marks, **options: Any) -> Row:
    return Row("GET", view, who, **options)


def post(view: str, who: Marks, **options: Any) -> Row:
    return Row("POST", view, who, **options)
