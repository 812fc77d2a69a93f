"""Terraform type constraints, such as `list(number)` and `object({ size = optional(number, 1) })`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from environments.blueprints.exact import Value, write_json
from environments.blueprints.hcl import Node, parse_expression, trees, word_of
from environments.blueprints.literals import NotLiteral, literal_value

PrimitiveName = Literal["string", "number", "bool", "any"]
CollectionKind = Literal["list", "set", "map"]


class BadType(ValueError):
    """The text is no type constraint; the message says which part."""


@dataclass(frozen=True)
class Primitive:
    """string, number, bool, or `any`: whatever comes."""

    name: PrimitiveName

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Collection:
    """list, set or map, whose elements all have one type."""

    kind: CollectionKind
    element: Type

    def __str__(self) -> str:
        return f"{self.kind}({self.element})"


@dataclass(frozen=True)
class TupleType:
    """A sequence of fixed length, each place with a type of its own."""

    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return "tuple([" + ", ".join(map(str, self.elements)) + "])"


@dataclass(frozen=True)
class Attribute:
    """One attribute of an object: its type and, when optional, what it is when left out."""

    type: Type
    optional: bool = False
    has_default: bool = False
    default: Any = field(default=None, hash=False)

    def __str__(self) -> str:
        if not self.optional:
            return str(self.type)
        return (
            f"optional({self.type}, {write_json(self.default)})"
            if self.has_default
            else f"optional({self.type})"
        )


@dataclass(frozen=True)
class ObjectType:
    """Named attributes, in the order the blueprint lists them."""

    attributes: Mapping[str, Attribute] = field(hash=False)

    def __str__(self) -> str:
        return (
            "object({"
            + ", ".join(f"{name} = {attribute}" for name, attribute in self.attributes.items())
            + "})"
        )


Type = Primitive | Collection | TupleType | ObjectType
ANY = Primitive("any")
PRIMITIVES: dict[str, PrimitiveName] = {"string": "string", "number": "number", "bool": "bool", "any": "any"}
COLLECTIONS: dict[str, CollectionKind] = {"list": "list", "set": "set", "map": "map"}


@lru_cache(maxsize=1024)
def parse_type(source: str) -> Type:
    """The type constraint written in `source`; BadType when it is none."""
    try:
        return type_of(parse_expression(source))
    except BadType:
        raise
    except ValueError as error:
        raise BadType(str(error)) from error


def type_of(node: Node) -> Type:
    """The type constraint an expression's syntax tree stands for."""
    inner = _bare(node)
    if inner.data == "identifier":
        name = word_of(inner)
        if name in PRIMITIVES:
            return Primitive(PRIMITIVES[name])
        if name in COLLECTIONS:
            # Terraform's old short form: `list` means list(any).
            return Collection(COLLECTIONS[name], ANY)
        raise BadType(f"“{name}” is no type")
    # Quoted types ("string") are the form before Terraform 0.12 and no longer valid.
    if inner.data != "function_call":
        raise BadType("a type is a word such as string or list(string)")
    words = [str(word_of(child)) for child in trees(inner) if child.data == "identifier"]
    arguments = _arguments(inner)
    if len(words) != 1 or len(arguments) != 1:
        raise BadType(f"{words[0]}(…) takes one type")
    return _composed(words[0], arguments[0])


def _composed(word: str, argument: Node) -> Type:
    if word in COLLECTIONS:
        return Collection(COLLECTIONS[word], type_of(argument))
    inner = _bare(argument)
    if word == "tuple" and inner.data == "tuple":
        return TupleType(tuple(type_of(child) for child in trees(inner)))
    if word == "object" and inner.data == "object":
        found: dict[str, Attribute] = {}
        for element in trees(inner):
            key, value = trees(element)
            name = _key(key)
            if name in found:
                raise BadType(f"attribute “{name}” stands twice")
            found[name] = _attribute(value)
        return ObjectType(found)
    raise BadType(f"“{word}” is no type")


def _attribute(node: Node) -> Attribute:
    inner = _bare(node)
    words = (
        [word_of(c) for c in trees(inner) if c.data == "identifier"] if inner.data == "function_call" else []
    )
    if words != ["optional"]:
        return Attribute(type_of(node))
    arguments = _arguments(inner)
    if not 1 <= len(arguments) <= 2:
        raise BadType("optional(…) takes a type and perhaps a default")
    wanted = type_of(arguments[0])
    if len(arguments) == 1:
        return Attribute(wanted, optional=True)
    try:
        default: Value = literal_value(arguments[1])
    except NotLiteral as error:
        raise BadType("the default of optional(…) is no constant") from error
    return Attribute(wanted, optional=True, has_default=True, default=default)


def _bare(node: Node) -> Node:
    """The node inside brackets and single-child wrappers."""
    while node.data in {"expr_term", "object_elem_key"} and len(trees(node)) == 1:
        node = trees(node)[0]
    return node


def _key(node: Node) -> str:
    inner = _bare(node)
    if inner.data in {"identifier", "keyword", "literal_value"}:
        return word_of(inner)
    raise BadType("an attribute's name is a plain word, without quotes")


def _arguments(call: Node) -> list[Node]:
    return [a for child in trees(call) if child.data == "arguments" for a in trees(child)]


def type_json(wanted: Type) -> str | list[Any]:
    """Terraform's JSON spelling of a type: "string", ["list", T], ["object", {name: T}, [optional names]]."""
    if isinstance(wanted, Primitive):
        return "dynamic" if wanted.name == "any" else wanted.name
    if isinstance(wanted, Collection):
        return [wanted.kind, type_json(wanted.element)]
    if isinstance(wanted, TupleType):
        return ["tuple", [type_json(element) for element in wanted.elements]]
    members: list[Any] = ["object", {name: type_json(a.type) for name, a in wanted.attributes.items()}]
    optional = [name for name, attribute in wanted.attributes.items() if attribute.optional]
    return [*members, optional] if optional else members


def short_type(wanted: Type) -> str:
    """The type without the attributes of its objects: they stand in rows of their own."""
    if isinstance(wanted, Collection):
        return f"{wanted.kind}({short_type(wanted.element)})"
    return "object" if isinstance(wanted, ObjectType) else str(wanted)
