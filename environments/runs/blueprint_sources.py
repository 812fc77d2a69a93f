"""Where an address of the state is written in the blueprint: its block, and the module calls that lead to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, join, normpath

from environments.blueprints.archives import Content
from environments.blueprints.hcl import (
    BlueprintUnreadable,
    Node,
    attributes,
    blocks,
    body_of,
    literal_text,
    parse_text,
    source_of,
)
from environments.blueprints.models import BlueprintSnapshot
from environments.blueprints.snapshots import content_of

_KEY = r'(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?'
_MODULE = re.compile(rf"module\.([\w-]+)({_KEY})\.")
_RESOURCE = re.compile(rf"([a-z][a-z0-9_]*)\.([\w-]+)({_KEY})")


@dataclass(frozen=True, slots=True)
class Address:
    """A resource's address, taken apart; `modules` are (name, whether the call has a key)."""

    modules: tuple[tuple[str, bool], ...]
    type: str
    name: str
    keyed: bool


def parse_address(text: str) -> Address | None:
    """The parts of a managed resource's address; None for anything else."""
    modules: list[tuple[str, bool]] = []
    at = 0
    while found := _MODULE.match(text, at):
        modules.append((found[1], bool(found[2])))
        at = found.end()
    last = _RESOURCE.fullmatch(text, at)
    if last is None or last[1] in ("module", "data"):
        return None
    return Address(tuple(modules), last[1], last[2], bool(last[3]))


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a file: what it sets, and where it stands."""

    file: str
    line: int
    text: str
    body: Node

    def attribute(self, name: str) -> str | None:
        """The source of an attribute's expression; None when the block does not set it."""
        for key, expression, _line in attributes(self.body):
            if key == name:
                return source_of(self.text, expression)
        return None

    def inner(self, name: str) -> list[Block]:
        """The nested blocks of this type, in order; dynamic ones are not among them."""
        return [
            Block(self.file, line, self.text, body)
            for kind, _labels, body, line in blocks(self.body)
            if kind == name
        ]

    def sets(self, name: str) -> bool:
        """Whether the block says anything about `name`: as an attribute, a block or a dynamic block."""
        if any(key == name for key, _expression, _line in attributes(self.body)):
            return True
        return any(
            kind == name or (kind == "dynamic" and labels == [name])
            for kind, labels, _body, _line in blocks(self.body)
        )


class Sources:
    """The files of one blueprint snapshot, parsed when asked for."""

    def __init__(self, content: Content, root: str) -> None:
        self._content = content
        self._root = root
        self._blocks: dict[str, dict[tuple[str, ...], Block]] = {}

    @classmethod
    def of(cls, snapshot: BlueprintSnapshot) -> Sources:
        """Raises ArchiveDamaged when the stored files are not what their digest says."""
        return cls(content_of(snapshot), snapshot.root)

    def resource(self, address: str) -> Block | None:
        """The block that makes this resource; None when it is not found, or written as JSON."""
        parts = parse_address(address)
        if parts is None:
            return None
        folder = self.folder([name for name, _keyed in parts.modules])
        return None if folder is None else self._of(folder).get(("resource", parts.type, parts.name))

    def call(self, modules: list[str]) -> Block | None:
        """The block of the last module call on this way; None when it is not found."""
        folder = self.folder(modules[:-1])
        return None if folder is None else self._of(folder).get(("module", modules[-1]))

    def local(self, modules: list[str], name: str) -> bool:
        """Whether the module at the end of this way has a local value of that name."""
        folder = self.folder(modules)
        return folder is not None and ("local", name) in self._of(folder)

    def folder(self, modules: list[str]) -> str | None:
        """The folder of the module at the end of this way of calls."""
        folder = self._root
        for name in modules:
            block = self._of(folder).get(("module", name))
            source = literal_text(_expression(block, "source")) if block else None
            if source is None or not source.startswith(("./", "../")):
                return None
            folder = normpath(join(folder, source))
        return folder

    def _of(self, folder: str) -> dict[tuple[str, ...], Block]:
        if folder not in self._blocks:
            self._blocks[folder] = dict(self._read(folder))
        return self._blocks[folder]

    def _read(self, folder: str) -> Iterator[tuple[tuple[str, ...], Block]]:
        for path, (data, _executable) in sorted(self._content.items()):
            if dirname(path) != folder or not path.endswith(".tf"):
                continue
            text = data.decode("utf-8-sig", errors="replace")
            try:
                body = body_of(parse_text(text, file=path))
            except BlueprintUnreadable:
                # Terraform refuses what is no HCL; what its parser takes and ours does not stays unknown.
                continue
            for kind, labels, inner, line in blocks(body):
                yield (kind, *labels), Block(path, line, text, inner)
                if kind == "locals":
                    for name, _expression, at in attributes(inner):
                        yield ("local", name), Block(path, at, text, inner)


def _expression(block: Block, name: str) -> Node:
    for key, expression, _line in attributes(block.body):
        if key == name:
            return expression
    return body_of(parse_text("", file=block.file))
