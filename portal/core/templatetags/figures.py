"""Figures as people read them: grouped thousands, counted nouns, money with its currency."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext_lazy

register = template.Library()

# The nouns of the portal, one per thing. Lazy plurals keep every language's own plural rule.
NOUNS: Mapping[str, object] = {
    "account": ngettext_lazy("%(n)s account", "%(n)s accounts", "n"),
    "alarm": ngettext_lazy("%(n)s alarm", "%(n)s alarms", "n"),
    "approval": ngettext_lazy("%(n)s approval", "%(n)s approvals", "n"),
    "attribute": ngettext_lazy("%(n)s attribute", "%(n)s attributes", "n"),
    "blueprint": ngettext_lazy("%(n)s blueprint", "%(n)s blueprints", "n"),
    "change": ngettext_lazy("%(n)s change", "%(n)s changes", "n"),
    "definition": ngettext_lazy("%(n)s definition", "%(n)s definitions", "n"),
    "environment": ngettext_lazy("%(n)s environment", "%(n)s environments", "n"),
    "error": ngettext_lazy("%(n)s error", "%(n)s errors", "n"),
    "event": ngettext_lazy("%(n)s event", "%(n)s events", "n"),
    "gate": ngettext_lazy("%(n)s gate", "%(n)s gates", "n"),
    "line": ngettext_lazy("%(n)s line", "%(n)s lines", "n"),
    "output": ngettext_lazy("%(n)s output", "%(n)s outputs", "n"),
    "person": ngettext_lazy("%(n)s person", "%(n)s people", "n"),
    "resource": ngettext_lazy("%(n)s resource", "%(n)s resources", "n"),
    "result": ngettext_lazy("%(n)s result", "%(n)s results", "n"),
    "service": ngettext_lazy("%(n)s service", "%(n)s services", "n"),
    "tenant": ngettext_lazy("%(n)s tenant", "%(n)s tenants", "n"),
    "token": ngettext_lazy("%(n)s token", "%(n)s tokens", "n"),
    "variable": ngettext_lazy("%(n)s variable", "%(n)s variables", "n"),
    "version": ngettext_lazy("%(n)s version", "%(n)s versions", "n"),
    "vote": ngettext_lazy("%(n)s vote", "%(n)s votes", "n"),
}

# Digits after the point that the currency itself has (ISO 4217); all others have two.
WITHOUT_DECIMALS = frozenset({"KRW", "JPY", "VND"})


@register.filter
def grouped(value: int | float | Decimal | None) -> str:
    """1234567 as "1,234,567"; None is empty."""
    return "" if value is None else f"{value:,}"


@register.filter
def counted(value: int, noun: str) -> str:
    """ "1 resource", "2,000 resources". The noun is a key of NOUNS, so that plurals can be translated."""
    wording = NOUNS[noun]
    return str(wording % {"n": _Counted(value)})  # type: ignore[operator]


class _Counted(int):
    """A number that picks its plural as an int and prints with grouped thousands."""

    def __str__(self) -> str:
        return f"{int(self):,}"


@register.filter
def money(value: Decimal | float | int | None, currency: str = "USD") -> str:
    """ "USD 1,234.50", "KRW 1,234,000". None reads as a dash, never as zero."""
    if value is None:
        return "–"
    step = Decimal(1) if currency in WITHOUT_DECIMALS else Decimal("0.01")
    amount = Decimal(str(value)).quantize(step, ROUND_HALF_UP)
    sign = "\N{MINUS SIGN}" if amount < 0 else ""
    return f"{sign}{currency}\N{NO-BREAK SPACE}{abs(amount):,}"


@register.filter
def file_size(value: int | None) -> str:
    """Bytes in decimal units with one digit: "940 B", "1.4 kB", "256.0 MB"; None is empty."""
    if value is None:
        return ""
    size = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


@register.simple_tag
def avatar(name: object) -> SafeString:
    """The initial of a person as a small disc, decorative: the name always stands beside it."""
    initial = (str(name).strip() or "?")[0].upper()
    return format_html('<span class="avatar" aria-hidden="true">{}</span>', initial)
