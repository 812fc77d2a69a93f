"""A README as safe HTML: headings, paragraphs, lists, tables, code, links. Everything else stays text.

Every character of the source is escaped before any tag of ours is put around it, so a README cannot bring
markup of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

INLINE = re.compile(
    r"(?P<code>`[^`\n]+`)|(?P<bold>\*\*[^*\n]+\*\*)|\[(?P<text>[^\]\n]+)\]\((?P<url>[^)\s]+)\)"
)
ITEM = re.compile(r"^(?:[-*]|\d+\.)\s+")
RULE = re.compile(r"^\|?[\s:|-]*-[\s:|-]*$")


def inline(text: str) -> SafeString:
    """Code, bold and links of one paragraph. Only http and https links become links."""
    out: list[SafeString] = []
    at = 0
    for found in INLINE.finditer(text):
        out.append(conditional_escape(text[at : found.start()]))
        at = found.end()
        if found["code"]:
            out.append(format_html("<code>{}</code>", found["code"][1:-1]))
        elif found["bold"]:
            out.append(format_html("<strong>{}</strong>", found["bold"][2:-2]))
        elif re.match(r"https?://", found["url"]):
            out.append(
                format_html('<a href="{}" rel="noopener noreferrer">{}</a>', found["url"], found["text"])
            )
        else:
            # A path within the repository: there is no page for it here.
            out.append(inline(found["text"]))
    out.append(conditional_escape(text[at:]))
    return _joined(out)


def _joined(parts: list[SafeString]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped or built by format_html


def render(source: str, *, base_level: int = 2) -> SafeString:
    """The whole text. Headings start at `base_level`: the page has its own title."""
    out: list[SafeString] = []
    lines = source.replace("\r\n", "\n").split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line.startswith("```"):
            at = _code(lines, at, out)
        elif heading := re.match(r"(#{1,6})\s+(.+?)\s*#*$", line):
            level = min(6, base_level - 1 + len(heading[1]))
            out.append(format_html("<h{}>{}</h{}>", level, inline(heading[2]), level))
            at += 1
        elif "|" in line and at + 1 < len(lines) and RULE.match(lines[at + 1].strip()):
            at = _table(lines, at, out)
        elif ITEM.match(line):
            at = _list(lines, at, out)
        else:
            end = _paragraph_end(lines, at)
            out.append(format_html("<p>{}</p>", inline(" ".join(part.strip() for part in lines[at:end]))))
            at = end
    return _joined(out)


def _paragraph_end(lines: list[str], at: int) -> int:
    end = at + 1
    while end < len(lines) and lines[end].strip() and not re.match(r"```|#{1,6}\s|[-*]\s|\|", lines[end]):
        end += 1
    return end


def _code(lines: list[str], at: int, out: list[SafeString]) -> int:
    end = at + 1
    while end < len(lines) and not lines[end].startswith("```"):
        end += 1
    out.append(format_html('<pre tabindex="0"><code>{}</code></pre>', "\n".join(lines[at + 1 : end])))
    return end + 1


def _list(lines: list[str], at: int, out: list[SafeString]) -> int:
    numbered = lines[at][0].isdigit()
    items: list[str] = []
    while at < len(lines) and lines[at].strip():
        line = lines[at]
        if ITEM.match(line) and line[0].isdigit() == numbered:
            items.append(ITEM.sub("", line))
        elif line.startswith((" ", "\t")):
            items[-1] += " " + line.strip()
        else:
            break
        at += 1
    tag = "ol" if numbered else "ul"
    body = format_html_join("", "<li>{}</li>", ((inline(item),) for item in items))
    out.append(format_html("<{}>{}</{}>", tag, body, tag))
    return at


def _cells(line: str) -> Iterator[str]:
    for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")):
        yield cell.strip().replace("\\|", "|")


def _table(lines: list[str], at: int, out: list[SafeString]) -> int:
    head = format_html_join("", '<th scope="col">{}</th>', ((inline(c),) for c in _cells(lines[at])))
    at += 2
    rows: list[SafeString] = []
    while at < len(lines) and "|" in lines[at]:
        cells = format_html_join("", "<td>{}</td>", ((inline(c),) for c in _cells(lines[at])))
        rows.append(format_html("<tr>{}</tr>", cells))
        at += 1
    template = (
        '<div class="table-wrap" role="region" tabindex="0" aria-label="{}"><table class="table">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    )
    out.append(
        format_html(template, lines[at - len(rows) - 2].strip().strip("|").strip(), head, _joined(rows))
    )
    return at
