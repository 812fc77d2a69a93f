"""Access rules: every URL is closed until its view declares who may open it.

The rule is an attribute of the view callable (a class attribute for DRF views). AccessMiddleware
enforces it for pages; DRF views are held to it by `permissions.DeclaredAccess`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

Rule = Literal["public", "signed_in", "portal_admin", "machine"]
RULES: tuple[Rule, ...] = ("public", "signed_in", "portal_admin", "machine")

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Anybody, signed in or not."""
    return _declare(view, "public")


def signed_in(view: View) -> View:
    """Any person who signed in; what they may see is decided further in."""
    return _declare(view, "signed_in")


def portal_admin(view: View) -> View:
    """Portal administrators only."""
    return _declare(view, "portal_admin")


def machine(view: View) -> View:
    """No session: the view checks credentials of its own (Terraform's state backend)."""
    return _declare(view, "machine")


def rule_of(view: Callable[..., Any]) -> Rule | None:
    """The declared rule of a resolved view callable, None when it declares none."""
    holder = view_class_of(view) or view
    rule = getattr(holder, "access_rule", None) or getattr(view, "access_rule", None)
    return rule if rule in RULES else None


def view_class_of(view: Callable[..., Any]) -> type | None:
    """The class behind `as_view()` of Django or DRF, None for a function."""
    return getattr(view, "cls", None) or getattr(view, "view_class", None)


def _declare(view: View, rule: Rule) -> View:
    view.access_rule = rule  # type: ignore[attr-defined]
    return view
