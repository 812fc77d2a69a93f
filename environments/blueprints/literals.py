"""Constant expressions: the only ones a variable's default may be."""

from __future__ import annotations

from decimal import Decimal

from environments.blueprints.exact import Value, parse_number
from environments.blueprints.hcl import Node, literal_text, trees, word_of

CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class NotLiteral(ValueError):
    """The expression needs evaluation: a reference, a function, an interpolation."""


def literal_value(node: Node) -> Value:
    """The value of a constant expression; NotLiteral for anything that has to be worked out."""
    children = trees(node)
    kind = node.data
    if kind == "expr_term" and len(children) == 1:
        return literal_value(children[0])
    if kind in {"int_lit", "float_lit"}:
        return parse_number(str(node.children[0]))
    if kind == "literal_value":
        return CONSTANTS[str(node.children[0])]
    if kind == "unary_op" and str(node.children[0]).strip() == "-":
        number = literal_value(children[0])
        if isinstance(number, bool) or number is None or isinstance(number, str | list | dict):
            raise NotLiteral("minus wants a number")
        # Not -number: a Decimal's would round to the context's 28 digits.
        return number.copy_negate() if isinstance(number, Decimal) else -number
    if kind in {"string", "heredoc_template", "heredoc_template_trim"}:
        text = literal_text(node)
        if text is None:
            raise NotLiteral("interpolation")
        return text
    if kind == "tuple":
        return [literal_value(child) for child in children]
    if kind == "object":
        return dict(_member(element) for element in children)
    raise NotLiteral(kind)


def _member(element: Node) -> tuple[str, Value]:
    key, value = trees(element)
    inner = key
    bracketed = False
    while inner.data in {"object_elem_key", "expr_term"} and len(trees(inner)) == 1:
        bracketed = bracketed or len(inner.children) > 1
        inner = trees(inner)[0]
    if inner.data in {"identifier", "keyword", "literal_value"} and not bracketed:
        # A bare word as key is its own name, never a reference.
        return word_of(inner), literal_value(value)
    if inner.data in {"int_lit", "float_lit"}:
        return str(inner.children[0]), literal_value(value)
    text = literal_text(inner)
    if text is None:
        raise NotLiteral("key")
    return text, literal_value(value)
