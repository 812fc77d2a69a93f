"""The variables and outputs a blueprint declares, read from its files without evaluating them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from environments.blueprints.conversion import Faults, convert
from environments.blueprints.exact import Value, storable
from environments.blueprints.hcl import (
    BlueprintUnreadable,
    Node,
    attributes,
    blocks,
    body_of,
    literal_text,
    parse_file,
    source_of,
)
from environments.blueprints.literals import NotLiteral, literal_value
from environments.blueprints.types import ANY, BadType, Type, parse_type
from portal.terraform.unmarked import names_secret

MAX_FILES = 200


@dataclass(frozen=True)
class Validation:
    """One validation block: the condition's source and the error message's source, both HCL."""

    condition: str
    error_message: str


@dataclass(frozen=True)
class Variable:
    """One variable block. `default` means something only with `has_default`."""

    name: str
    type_source: str = "any"
    default: Value = None
    has_default: bool = False
    nullable: bool = True
    description: str = ""
    sensitive: bool = False
    ephemeral: bool = False
    validations: tuple[Validation, ...] = ()
    file: str = ""
    line: int = 0

    @cached_property
    def type(self) -> Type:
        """The parsed type constraint."""
        return ANY if self.type_source == "any" else parse_type(self.type_source)

    @property
    def required(self) -> bool:
        return not self.has_default

    @cached_property
    def effective_default(self) -> Value:
        """The default as its type, optional attributes filled in."""
        return convert(self.default, self.type, Faults(), strict=False)


@dataclass(frozen=True)
class Output:
    """One output block."""

    name: str
    description: str = ""
    sensitive: bool = False


@dataclass(frozen=True)
class Interface:
    """What a root module asks for and what it answers."""

    variables: tuple[Variable, ...]
    outputs: tuple[Output, ...]

    def variable(self, name: str) -> Variable | None:
        """The variable of that name, if there is one."""
        return next((variable for variable in self.variables if variable.name == name), None)


def configuration_files(folder: Path) -> list[Path]:
    """The files Terraform reads in one module folder, in its order."""
    found = sorted(p for p in folder.iterdir() if p.name.endswith((".tf", ".tf.json")) and p.is_file())
    if len(found) > MAX_FILES:
        raise BlueprintUnreadable(folder.name, None, _("the folder holds more than 200 files"))
    return found


def read_interface(folder: Path) -> Interface:
    """Every variable and output of the module in `folder`; BlueprintUnreadable names file and line."""
    variables: dict[str, Variable] = {}
    outputs: list[Output] = []
    for path in configuration_files(folder):
        if path.name.endswith(".tf.json"):
            _refuse_json_variables(path)
            continue
        text, tree = parse_file(path, name=path.name)
        for kind, labels, inner, line in blocks(body_of(tree)):
            if kind not in {"variable", "output"}:
                continue
            if len(labels) != 1:
                raise BlueprintUnreadable(path.name, line, _("a %(kind)s has one name") % {"kind": kind})
            if kind == "output":
                outputs.append(_output(labels[0], inner))
                continue
            if labels[0] in variables or path.name.endswith("override.tf"):
                raise BlueprintUnreadable(
                    path.name, line, _("variable “%(name)s” is declared twice") % {"name": labels[0]}
                )
            variables[labels[0]] = _Reader(path.name, text, line).variable(labels[0], inner)
    return Interface(tuple(variables.values()), tuple(outputs))


def _refuse_json_variables(path: Path) -> None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BlueprintUnreadable(path.name, None, _("this is not valid JSON")) from error
    if isinstance(found, dict) and "variable" in found:
        raise BlueprintUnreadable(path.name, None, _("declare variables in .tf files, not in JSON"))


def _output(name: str, body: Node) -> Output:
    found = {key: node for key, node, _line in attributes(body)}
    description = literal_text(found["description"]) if "description" in found else ""
    sensitive = "sensitive" in found and _constant(found["sensitive"]) is True
    return Output(name, (description or "").strip(), sensitive)


def _constant(node: Node) -> Value:
    try:
        return literal_value(node)
    except NotLiteral:
        return None


@dataclass(frozen=True)
class _Reader:
    """Reads one variable block; file and line are for its messages."""

    file: str
    text: str
    line: int

    def fail(self, line: int, reason: str) -> BlueprintUnreadable:
        return BlueprintUnreadable(self.file, line, reason)

    def variable(self, name: str, body: Node) -> Variable:
        found = {key: (node, line) for key, node, line in attributes(body)}
        type_source = source_of(self.text, found["type"][0]) if "type" in found else "any"
        description = literal_text(found["description"][0]) if "description" in found else ""
        made = Variable(
            name=name,
            type_source=type_source,
            default=self.default(found),
            has_default="default" in found,
            nullable=self.switch(found, "nullable", default=True),
            description=(description or "").strip(),
            # A forgotten mark must not put a password into a page: its name tells.
            sensitive=self.switch(found, "sensitive", default=False)
            or (type_source == "string" and names_secret(name)),
            ephemeral=self.switch(found, "ephemeral", default=False),
            validations=tuple(self.validations(body)),
            file=self.file,
            line=self.line,
        )
        self.check(made, found["type"][1] if "type" in found else self.line)
        return made

    def default(self, found: dict[str, tuple[Node, int]]) -> Value:
        if "default" not in found:
            return None
        node, line = found["default"]
        try:
            return literal_value(node)
        except NotLiteral as error:
            raise self.fail(line, _("a default must be a constant, not an expression")) from error
        except ValueError as error:
            raise self.fail(line, _("the default cannot be read")) from error

    def switch(self, found: dict[str, tuple[Node, int]], name: str, *, default: bool) -> bool:
        if name not in found:
            return default
        node, line = found[name]
        value = _constant(node)
        if not isinstance(value, bool):
            raise self.fail(line, _("“%(name)s” must be true or false") % {"name": name})
        return value

    def validations(self, body: Node) -> Iterator[Validation]:
        for kind, _labels, inner, line in blocks(body):
            if kind != "validation":
                continue
            parts = {key: source_of(self.text, node) for key, node, _line in attributes(inner)}
            if not {"condition", "error_message"} <= set(parts):
                raise self.fail(line, _("a validation has a condition and an error_message"))
            yield Validation(parts["condition"], parts["error_message"])

    def check(self, made: Variable, type_line: int) -> None:
        try:
            wanted = made.type
        except BadType as error:
            message = _("the type of “%(name)s” cannot be read: %(reason)s")
            raise self.fail(type_line, message % {"name": made.name, "reason": error}) from error
        faults = Faults()
        convert(made.default, wanted, faults, path=made.name, strict=False)
        if faults:
            path, messages = next(iter(faults.found.items()))
            message = _("the default does not fit the type: %(path)s %(reason)s")
            raise self.fail(self.line, message % {"path": path, "reason": messages[0]})
        if made.has_default and made.default is None and not made.nullable:
            message = _("the default of “%(name)s” is null, which the variable does not allow")
            raise self.fail(self.line, message % {"name": made.name})


def to_json(variables: Iterable[Variable]) -> list[dict[str, Any]]:
    """The variables as a JSON column keeps them, in file order."""
    return [
        {
            "name": v.name,
            "type": v.type_source,
            "default": storable(v.default),
            "has_default": v.has_default,
            "nullable": v.nullable,
            "description": v.description,
            "sensitive": v.sensitive,
            "ephemeral": v.ephemeral,
            "validations": [[rule.condition, rule.error_message] for rule in v.validations],
            "file": v.file,
            "line": v.line,
        }
        for v in variables
    ]


def from_json(rows: Iterable[dict[str, Any]]) -> tuple[Variable, ...]:
    """The variables that `to_json` wrote."""
    return tuple(
        Variable(
            **{key: value for key, value in row.items() if key not in {"type", "validations"}},
            type_source=row["type"],
            validations=tuple(Validation(*rule) for rule in row["validations"]),
        )
        for row in rows
    )
