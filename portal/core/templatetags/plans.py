"""A plan in words and signs: actions, values, before and after, line diffs."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

register = template.Library()

# action -> (sign, word), in the order in which a tired reader must meet them: destruction first.
ACTIONS: Mapping[str, tuple[str, Promise]] = {
    "destroy": ("-", gettext_lazy("destroy")),
    "replace": ("-/+", gettext_lazy("replace")),
    "update": ("~", gettext_lazy("change")),
    "create": ("+", gettext_lazy("create")),
    "import": ("->", gettext_lazy("import")),
    "move": ("=>", gettext_lazy("move")),
    "forget": ("x", gettext_lazy("forget")),
    "read": ("<=", gettext_lazy("read")),
    "no-op": ("=", gettext_lazy("keep")),
}
# Terraform's own words for the same.
ALIASES = {"delete": "destroy", "change": "update", "noop": "no-op", "no_op": "no-op", "remove": "forget"}

LONG_TEXT = 80
DIFF_MAX_LINES = 2000
DIFF_CONTEXT = 2


def action_key(action: str) -> str:
    """One key for Terraform's and our words ("delete" is "destroy", "change" is "update")."""
    return ALIASES.get(action, action)


@register.simple_tag
def action_sign(action: str, count: int | None = None) -> SafeString:
    """Sign and word of a plan action; with `count`: "+ 3 create"."""
    key = action_key(action)
    sign, word = ACTIONS[key]
    return format_html(
        '<span class="act act--{}"><span class="act__sign" aria-hidden="true">{}</span> {}{}</span>',
        key,
        sign,
        "" if count is None else format_html('<b class="num">{}</b> ', f"{count:,}"),
        word,
    )


@register.simple_tag
def plan_counts(counts: Mapping[str, int]) -> SafeString:
    """The counts of a proposal, destruction first; actions that do not occur are left out."""
    found = {action_key(action): number for action, number in counts.items() if number}
    signs = [(action_sign(key, found[key]),) for key in ACTIONS if key in found and key != "no-op"]
    if not signs:
        return format_html('<span class="counts muted">{}</span>', _("nothing to change"))
    return format_html('<span class="counts">{}</span>', format_html_join("", "{}", signs))


def as_text(value: Any) -> str:
    """A value of a plan as Terraform people write it: quoted strings, true, null, compact JSON."""
    if isinstance(value, str):
        return value if "\n" in value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False, default=str)


def _pretty(value: Any) -> str:
    """Long values one part per line, so that a diff shows the part that differs."""
    if isinstance(value, str):
        try:
            parsed = json.loads(value) if value[:1] in ("{", "[") else None
        except (ValueError, RecursionError):
            parsed = None
        return value if parsed is None else json.dumps(parsed, indent=2, ensure_ascii=False, sort_keys=True)
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)


def _is_long(value: Any) -> bool:
    return (
        value is not None
        and not isinstance(value, bool | int | float)
        and (len(as_text(value)) > LONG_TEXT or "\n" in as_text(value))
    )


@register.simple_tag
def plan_value(value: Any) -> SafeString:
    """One value of a plan or definition, in mono."""
    css = "val val--null" if value is None else "val"
    return format_html('<code class="{}">{}</code>', css, as_text(value))


@register.simple_tag
def attribute_change(attribute: Any) -> SafeString:
    """Before and after of one attribute.

    `attribute` answers (as attributes or keys): before, after, sensitive (bool), changed (bool, for
    sensitive ones), unknown (bool: known after apply).
    """
    get = _getter(attribute)
    if get("sensitive"):
        word = _("changed") if get("changed", default=True) else _("unchanged")
        return format_html('<span class="val val--secret">{} <i>{}</i></span>', _("sensitive value,"), word)
    before, after = get("before"), get("after")
    if get("unknown"):
        after_text = format_html('<span class="val val--unknown">{}</span>', _("known after apply"))
        return after_text if before is None else _arrow(plan_value(before), after_text)
    if before is None and after is not None and not _is_long(after):
        return plan_value(after)
    if _is_long(before) or _is_long(after):
        return line_diff(before, after)
    return _arrow(plan_value(before), plan_value(after))


def _getter(obj: Any) -> Any:
    def get(name: str, default: Any = None) -> Any:
        if isinstance(obj, Mapping):
            return obj.get(name, default)
        return getattr(obj, name, default)

    return get


def _arrow(before: SafeString, after: SafeString) -> SafeString:
    return format_html(
        '<span class="before-after"><del>{}</del> '
        '<span class="before-after__arrow" role="img" aria-label="{}">&rarr;</span> <ins>{}</ins></span>',
        before,
        _("becomes"),
        after,
    )


def _diff_lines(before: list[str], after: list[str]) -> Iterator[tuple[str, str, str]]:
    """(class, sign, text) of each line of a unified diff without its headers."""
    lines = difflib.unified_diff(before, after, lineterm="", n=DIFF_CONTEXT)
    for number, line in enumerate(lines):
        if number < 2:
            continue
        if line.startswith("@@"):
            if number > 2:
                yield "gap", "", "…"
            continue
        kind = {"+": "add", "-": "del"}.get(line[0], "same")
        yield kind, line[0], line[1:]


@register.simple_tag
def line_diff(before: Any, after: Any) -> SafeString:
    """Two long texts (or structures) as a line diff with two lines of context."""
    old = [] if before is None else _pretty(before).splitlines()
    new = [] if after is None else _pretty(after).splitlines()
    if max(len(old), len(new)) > DIFF_MAX_LINES:
        # difflib is quadratic on long texts; a page must not wait for it.
        words = {"old": f"{len(old):,}", "new": f"{len(new):,}"}
        return format_html(
            '<p class="muted">{}</p>',
            _("Too long to compare here: %(old)s lines before, %(new)s after.") % words,
        )
    rows = list(_diff_lines(old, new))
    if not rows:
        return format_html('<span class="muted">{}</span>', _("no difference"))
    html = format_html_join(
        "",
        '<span class="diff__line diff__line--{}"><span class="diff__sign">{}</span>{}\n</span>',
        ((kind, sign or " ", text) for kind, sign, text in rows),
    )
    return format_html(
        '<pre class="diff" tabindex="0" role="group" aria-label="{}"><code>{}</code></pre>',
        _("Line diff"),
        html,
    )


@register.filter
def action_word(action: str) -> str:
    """The word of an action without its sign, for sentences."""
    return str(ACTIONS[action_key(action)][1])


@register.filter
def json_pretty(value: Any) -> str:
    """Indented JSON, escaped for a <pre>."""
    return escape(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str))
