"""Judging a variable's validation condition before Terraform is asked.

A small evaluator over the syntax tree: no names but `var.*` and those a `for` brings, no side effects, a
bounded number of steps. Three answers: it holds, it does not, or Unchecked (Terraform decides later).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lark import Token

from environments.blueprints.exact import Value, parse_number
from environments.blueprints.functions import call
from environments.blueprints.hcl import Node, literal_text, parse_expression, trees, unescape, word_of
from environments.blueprints.operands import (
    Fault,
    SetValue,
    Unchecked,
    compute,
    equal,
    flag,
    kind_of,
    number,
    text,
    whole,
)

MAX_STEPS = 200_000
Scope = Mapping[str, Value]


def holds(condition: str, variables: Mapping[str, Value]) -> bool | None:
    """Whether a condition holds for these variables (name -> value); None: cannot be judged here."""
    try:
        return flag(Evaluator(variables).value(parse_expression(condition), {}))
    except Fault:
        # Terraform stops with an error here: the value is refused either way.
        return False
    except (Unchecked, ValueError, RecursionError):
        return None


def rendered(template: str, variables: Mapping[str, Value]) -> str:
    """An error message's text; its own source when it refers to what is not known here."""
    try:
        return text(Evaluator(variables).value(parse_expression(template), {}))
    except (Fault, Unchecked, ValueError, RecursionError):
        return template.strip().strip('"')


@dataclass
class Evaluator:
    """One evaluation: the variables it may see and the steps it has left."""

    variables: Mapping[str, Value]
    steps: int = MAX_STEPS

    def value(self, node: Node, scope: Scope) -> Value:
        """The value of an expression; `scope` holds what the surrounding `for`s name."""
        self.steps -= 1
        if self.steps < 0:
            raise Unchecked("too many steps")
        handler = HANDLERS.get(node.data)
        if handler is None:
            raise Unchecked(f"expression {node.data}")
        return handler(self, node, scope)

    def wrapped(self, node: Node, scope: Scope) -> Value:
        return self.value(trees(node)[0], scope)

    def literal(self, node: Node, scope: Scope) -> Value:
        word = str(node.children[0])
        words: dict[str, Value] = {"true": True, "false": False, "null": None}
        return words[word] if word in words else parse_number(word)

    def identifier(self, node: Node, scope: Scope) -> Value:
        name = word_of(node)
        if name in scope:
            return scope[name]
        raise Unchecked(f"name {name}")

    def heredoc(self, node: Node, scope: Scope) -> Value:
        found = literal_text(node)
        if found is None:
            raise Unchecked("here-document with interpolation")
        return found

    def string(self, node: Node, scope: Scope) -> Value:
        pieces: list[Value] = []
        for part in trees(node):
            inner = part.children[0]
            if isinstance(inner, Token):
                pieces.append(str(inner)[1:] if inner.type.startswith("ESCAPED") else unescape(str(inner)))
            elif inner.data == "interpolation":
                pieces.append(self.value(trees(inner)[0], scope))
            else:
                raise Unchecked("template directive")
        if len(pieces) == 1:
            return pieces[0]
        return "".join(text(piece) for piece in pieces)

    def sequence(self, node: Node, scope: Scope) -> Value:
        return [self.value(child, scope) for child in trees(node)]

    def object(self, node: Node, scope: Scope) -> Value:
        out: dict[str, Value] = {}
        for element in trees(node):
            key, value = trees(element)
            inner = key
            while (
                inner.data in {"object_elem_key", "expr_term"} and len(inner.children) == 1 and trees(inner)
            ):
                inner = trees(inner)[0]
            bare = inner.data in {"identifier", "keyword", "literal_value"}
            name = word_of(inner) if bare else text(self.value(inner, scope))
            out[name] = self.value(value, scope)
        return out

    def unary(self, node: Node, scope: Scope) -> Value:
        operand = self.value(trees(node)[0], scope)
        if str(node.children[0]).strip() == "!":
            return not flag(operand)
        return compute("-", 0, number(operand))

    def binary(self, node: Node, scope: Scope) -> Value:
        first, term = trees(node)[:2]
        operator_node, second = trees(term)[:2]
        operator = str(operator_node.children[0]).strip()
        left = self.value(first, scope)
        if operator in {"&&", "||"}:
            # Newer Terraform leaves the right side alone when the left decides, older ones evaluate it:
            # the milder of the two, so that nothing valid is refused.
            if flag(left) == (operator == "||"):
                return flag(left)
            return flag(self.value(second, scope))
        right = self.value(second, scope)
        if operator in {"==", "!="}:
            return equal(left, right) == (operator == "==")
        if operator in {"<", ">", "<=", ">="}:
            a, b = number(left), number(right)
            return {"<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b}[operator]
        return compute(operator, number(left), number(right))

    def conditional(self, node: Node, scope: Scope) -> Value:
        test, yes, no = trees(node)
        chosen, other = (yes, no) if flag(self.value(test, scope)) else (no, yes)
        value = self.value(chosen, scope)
        try:
            kinds = {kind_of(value), kind_of(self.value(other, scope))}
        except Fault:
            return value
        # Both sides get one type: a number beside a text becomes a text.
        return text(value) if "string" in kinds and kinds & {"number", "bool"} else value

    def function(self, node: Node, scope: Scope) -> Value:
        words = [word_of(child) for child in trees(node) if child.data == "identifier"]
        holder = [child for child in trees(node) if child.data == "arguments"]
        arguments = trees(holder[0]) if holder else []
        expands = bool(holder) and any(
            isinstance(c, Token) and c.type == "ELLIPSIS" for c in holder[0].children
        )
        name = "::".join(words)
        if name in {"can", "try"}:
            return self.attempt(name, arguments, scope)
        values = [self.value(argument, scope) for argument in arguments]
        if expands:
            last = values.pop()
            if not isinstance(last, list):
                raise Fault("only a list can be expanded")
            values += last
        return call(name, values)

    def attempt(self, name: str, arguments: list[Node], scope: Scope) -> Value:
        for argument in arguments:
            try:
                value = self.value(argument, scope)
            except Fault:
                continue
            return True if name == "can" else value
        if name == "can":
            return False
        raise Fault("no argument of try succeeded")

    def attribute(self, node: Node, scope: Scope) -> Value:
        target, step = trees(node)
        name = word_of(trees(step)[0])
        if target.data == "expr_term" and len(trees(target)) == 1 and trees(target)[0].data == "identifier":
            root = word_of(trees(target)[0])
            if root == "var" and root not in scope:
                if name not in self.variables:
                    raise Unchecked(f"var.{name}")
                return self.variables[name]
        return member(self.value(target, scope), name)

    def indexed(self, node: Node, scope: Scope) -> Value:
        target, step = trees(node)
        return member(self.value(target, scope), self.index(step, scope))

    def index(self, step: Node, scope: Scope) -> Value:
        if step.data == "short_index":
            return parse_number(str(step.children[-1]))
        return self.value(trees(step)[0], scope)

    def splat(self, node: Node, scope: Scope) -> Value:
        target, steps = trees(node)
        found = self.value(target, scope)
        items = [] if found is None else found if isinstance(found, list) else [found]
        if steps.data == "attr_splat" and any(step.data != "get_attr" for step in trees(steps)):
            raise Unchecked("index after .*")
        out = []
        for item in items:
            value = item
            for step in trees(steps):
                by_name = step.data == "get_attr"
                value = member(value, word_of(trees(step)[0]) if by_name else self.index(step, scope))
            out.append(value)
        return out

    def rounds(self, node: Node, scope: Scope) -> list[Scope]:
        """The scope of each round of a `for`, those its `if` drops left out."""
        intro = next(child for child in trees(node) if child.data == "for_intro")
        *names, source = trees(intro)
        items = self.value(source, scope)
        if isinstance(items, dict):
            pairs = [(key, items[key]) for key in sorted(items, key=str.encode)]
        elif isinstance(items, SetValue):
            pairs = [(item, item) for item in items]
        elif isinstance(items, list):
            pairs = list(enumerate(items))
        else:
            raise Fault("only a list, a set or a map can be iterated")
        words = [word_of(name) for name in names]
        test = [trees(child)[0] for child in trees(node) if child.data == "for_cond"]
        out: list[Scope] = []
        for key, item in pairs:
            inner = {**scope, words[-1]: item}
            if len(words) == 2:
                inner[words[0]] = key
            if not test or flag(self.value(test[0], inner)):
                out.append(inner)
        return out

    def for_list(self, node: Node, scope: Scope) -> Value:
        body = next(child for child in trees(node) if child.data not in {"for_intro", "for_cond"})
        return [self.value(body, inner) for inner in self.rounds(node, scope)]

    def for_object(self, node: Node, scope: Scope) -> Value:
        key, value = [child for child in trees(node) if child.data not in {"for_intro", "for_cond"}]
        grouped = any(isinstance(child, Token) and child.type == "ELLIPSIS" for child in node.children)
        out: dict[str, Value] = {}
        for inner in self.rounds(node, scope):
            name, item = text(self.value(key, inner)), self.value(value, inner)
            if grouped:
                out.setdefault(name, []).append(item)
            elif name in out:
                raise Fault("a key comes twice")
            else:
                out[name] = item
        return out


def member(target: Value, key: Value) -> Value:
    """`target[key]` or `target.key`; Fault when there is no such thing."""
    if isinstance(target, dict):
        name = text(key)
        if name in target:
            return target[name]
        raise Fault(f"no attribute {name}")
    if isinstance(target, SetValue):
        raise Fault("a set has no places")
    if isinstance(target, list):
        place = whole(key)
        if 0 <= place < len(target):
            return target[place]
        raise Fault("no such place")
    raise Fault("this value has no parts")


HANDLERS: dict[str, Callable[[Evaluator, Node, Scope], Value]] = {
    "expr_term": Evaluator.wrapped,
    "int_lit": Evaluator.literal,
    "float_lit": Evaluator.literal,
    "literal_value": Evaluator.literal,
    "identifier": Evaluator.identifier,
    "string": Evaluator.string,
    "heredoc_template": Evaluator.heredoc,
    "heredoc_template_trim": Evaluator.heredoc,
    "tuple": Evaluator.sequence,
    "object": Evaluator.object,
    "unary_op": Evaluator.unary,
    "binary_op": Evaluator.binary,
    "conditional": Evaluator.conditional,
    "function_call": Evaluator.function,
    "get_attr_expr_term": Evaluator.attribute,
    "index_expr_term": Evaluator.indexed,
    "attr_splat_expr_term": Evaluator.splat,
    "full_splat_expr_term": Evaluator.splat,
    "for_tuple_expr": Evaluator.for_list,
    "for_object_expr": Evaluator.for_object,
}
