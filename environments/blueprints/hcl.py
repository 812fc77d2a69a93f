"""Reading HCL: text to syntax tree, with limits and with errors that name file and line. Never evaluates."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from django.utils.translation import gettext as _
from hcl2 import parses_to_tree
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from portal.core.errors import GatehouseError

# python-hcl2 needs about 4 ms for 10 kB: a second of parsing is the most a page may cost.
MAX_FILE_BYTES = 512 * 1024
MAX_EXPRESSION = 20_000
# The recursive readers below stay far from Python's recursion limit.
MAX_NESTING = 60

Node = Tree[Token]


class BlueprintUnreadable(GatehouseError):
    """A blueprint's files cannot be understood; the message names file and line."""

    status = 422
    title = "Blueprint unreadable"

    def __init__(self, file: str, line: int | None, reason: str) -> None:
        where = f"{file}, line {line}" if line else file
        super().__init__(
            f"{where}: {reason}",
            hint=_("Correct the blueprint's file; `terraform validate` in its folder shows the same fault."),
            code="blueprint_unreadable",
        )
        self.file = file
        self.line = line
        self.reason = reason


def _too_deep(text: str) -> bool:
    depth = deepest = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest > MAX_NESTING


def parse_text(text: str, *, file: str) -> Node:
    """The syntax tree of one HCL file; BlueprintUnreadable names the line that cannot be parsed."""
    if len(text.encode()) > MAX_FILE_BYTES:
        raise BlueprintUnreadable(file, None, _("the file is larger than 512 kB"))
    if _too_deep(text):
        raise BlueprintUnreadable(file, None, _("brackets are nested too deeply"))
    try:
        return parses_to_tree(text)
    except UnexpectedInput as error:
        line = error.line if isinstance(error.line, int) and error.line > 0 else None
        raise BlueprintUnreadable(file, line, _("this is not valid HCL")) from error
    except (LarkError, RecursionError) as error:
        raise BlueprintUnreadable(file, None, _("this is not valid HCL")) from error


def parse_file(path: Path, *, name: str) -> tuple[str, Node]:
    """(text, tree) of a file; `name` is how messages call it."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BlueprintUnreadable(name, None, _("the file is larger than 512 kB"))
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BlueprintUnreadable(name, None, _("the file is not UTF-8 text")) from error
    except OSError as error:
        raise BlueprintUnreadable(name, None, _("the file cannot be read")) from error
    return text, parse_text(text, file=name)


@lru_cache(maxsize=2048)
def parse_expression(source: str) -> Node:
    """The syntax tree of one expression; ValueError when it is none."""
    if len(source) > MAX_EXPRESSION or _too_deep(source):
        raise ValueError("expression too large")
    try:
        tree = parses_to_tree(f"value = {source}")
    except (LarkError, RecursionError) as error:
        raise ValueError("not an HCL expression") from error
    found = [expression for _name, expression, _line in attributes(body_of(tree))]
    if len(found) != 1:
        raise ValueError("not one HCL expression")
    return found[0]


def body_of(tree: Node) -> Node:
    """The body of a file or of a block."""
    return next(child for child in trees(tree) if child.data == "body")


def trees(node: Node) -> list[Node]:
    """The children that are subtrees, comments and line ends left out."""
    return [c for c in node.children if isinstance(c, Tree) and c.data != "new_line_or_comment"]


def blocks(body: Node) -> Iterator[tuple[str, list[str], Node, int]]:
    """(type, labels, body, line) of each block, in file order."""
    for child in trees(body):
        if child.data == "block":
            *words, inner = trees(child)
            names = [word_of(word) for word in words]
            yield names[0], names[1:], inner, child.meta.line


def attributes(body: Node) -> Iterator[tuple[str, Node, int]]:
    """(name, expression, line) of each attribute of a body."""
    for child in trees(body):
        if child.data == "attribute":
            name, expression = trees(child)
            yield word_of(name), expression, child.meta.line


def word_of(node: Node) -> str:
    """The text of an identifier, a keyword or a plain quoted label."""
    if node.data == "string":
        return "".join(str(c) for part in trees(node) for c in part.children if isinstance(c, Token))
    return str(node.children[0])


def source_of(text: str, node: Node) -> str:
    """The node's own text, with the indentation of its following lines removed."""
    piece = text[node.meta.start_pos : node.meta.end_pos].strip()
    first, newline, rest = piece.partition("\n")
    return first + newline + textwrap.dedent(rest)


def unescape(text: str) -> str:
    """The characters a quoted HCL string's escapes stand for; ValueError for an unknown escape."""
    plain = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
    out: list[str] = []
    index = 0
    while index < len(text):
        if text[index] != "\\":
            out.append(text[index])
            index += 1
            continue
        mark = text[index + 1 : index + 2]
        if mark in plain and mark:
            out.append(plain[mark])
            index += 2
        elif mark in {"u", "U"}:
            width = 4 if mark == "u" else 8
            out.append(chr(int(text[index + 2 : index + 2 + width], 16)))
            index += 2 + width
        else:
            raise ValueError("unknown escape")
    return "".join(out)


def heredoc(token: str) -> str:
    """The text of a here-document without its markers; `<<-` takes the shared indentation away."""
    opening, rest = token.split("\n", 1)
    lines = rest.rstrip("\r\n").split("\n")[:-1]
    if opening.startswith("<<-"):
        lines = textwrap.dedent("\n".join(line if line.strip() else "" for line in lines)).split("\n")
    return "".join(line + "\n" for line in lines) if lines != [""] else ""


def literal_text(node: Node) -> str | None:
    """A quoted string or here-document without interpolation as text; None for anything else."""
    inner = node
    while inner.data == "expr_term" and len(trees(inner)) == 1:
        inner = trees(inner)[0]
    if inner.data in {"heredoc_template", "heredoc_template_trim"}:
        text = heredoc(str(inner.children[0]))
        if "${" in text.replace("$${", "") or "%{" in text.replace("%%{", ""):
            return None
        return text.replace("$${", "${").replace("%%{", "%{")
    if inner.data != "string":
        return None
    out: list[str] = []
    for part in trees(inner):
        piece = part.children[0]
        if not isinstance(piece, Token):
            return None
        out.append(str(piece)[1:] if piece.type.startswith("ESCAPED") else unescape(str(piece)))
    return "".join(out)
