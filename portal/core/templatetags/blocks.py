"""Components that enclose content: card, callout, fold, dialog."""

from typing import Any

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag
def card(
    content: str, *, title: str = "", subtitle: str = "", css: str = "", id: str = "", level: int = 2
) -> SafeString:
    """{% card title="..." %}...{% endcard %}: a titled surface. css: "card--flush" for tables."""
    return _draw("card", content, title=title, subtitle=subtitle, css=css, id=id, level=level)


@register.simple_block_tag
def callout(
    content: str, tone: str = "info", title: str = "", *, hint: str = "", raw: str = "", live: bool = False
) -> SafeString:
    """{% callout "danger" "What happened" hint="What to do" raw=error %}more{% endcallout %}.

    tone: info, warn, danger, good. `raw` is folded away; `live` announces it (role=alert).
    """
    return _draw("callout", content, tone=tone, title=title, hint=hint, raw=raw, live=live)


@register.simple_block_tag
def fold(
    content: str, title: str, *, note: str = "", open: bool = False, css: str = "", id: str = ""
) -> SafeString:
    """{% fold "module.network" note="12 resources" %}...{% endfold %}: folded content, opened in print."""
    return _draw("fold", content, title=title, note=note, open=open, css=css, id=id)


@register.simple_block_tag(takes_context=True)
def confirm(
    context: Context,
    content: str,
    id: str,
    *,
    title: str,
    action: str,
    label: str,
    variant: str = "primary",
    typed: str = "",
    comment: str = "",
    comment_required: bool = False,
) -> SafeString:
    """{% confirm "approve" title="..." action=url label="Approve" %}effect, hidden inputs{% endconfirm %}.

    A <dialog> with a POST form; open it with data-dialog="ID" on a link to a page that shows the same.
    `typed` asks for that text to be typed (the server checks it as `confirm_name`); `comment` is the label
    of a comment field. Enter never submits it.
    """
    return _draw(
        "confirm",
        content,
        id=id,
        title=title,
        action=action,
        label=label,
        variant=variant,
        typed=typed,
        comment=comment,
        comment_required=comment_required,
        csrf_token=context.get("csrf_token", ""),
    )


def _draw(name: str, content: str, **values: Any) -> SafeString:
    return render_to_string(f"components/{name}.html", {"content": content, **values})
