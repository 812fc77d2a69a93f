"""Terraform's regular expressions (RE2), matched in time linear in the text.

Python's `re` differs from RE2 (what `$`, `\\d` and `\\s` match, flags, classes) and can be made to run for
hours by what somebody types into a form. So a pattern is compiled to a small program of our own and run as
RE2 runs it: all possibilities side by side, the leftmost and first preferred. Syntax outside the subset
raises Unsupported: Terraform decides then. Source of the rules: the RE2 syntax page of the Go project.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MAX_TEXT = 20_000
MAX_REPEAT = 1000
MAX_PROGRAM = 5000

Ranges = tuple[tuple[int, int], ...]
HIGHEST = 0x10FFFF
DIGIT: Ranges = ((48, 57),)
WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
CLASSES: dict[str, Ranges] = {"d": DIGIT, "w": WORD, "s": SPACE}
POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "digit": DIGIT,
    "lower": ((97, 122),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
CONTROL = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}


class Unsupported(ValueError):
    """A pattern outside the subset read here, or a text too long to try it on."""


@dataclass(frozen=True)
class Flags:
    """What (?i), (?m), (?s) and (?U) switch."""

    fold: bool = False
    lines: bool = False
    dot_all: bool = False
    swap: bool = False


@dataclass(frozen=True)
class Step:
    """One instruction: chars, split (first way preferred), jump, save, or an assertion."""

    kind: str
    ranges: Ranges = ()
    x: int = 0
    y: int = 0


def negated(ranges: Ranges) -> Ranges:
    """Every character not in `ranges`."""
    out: list[tuple[int, int]] = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            out.append((start, low - 1))
        start = max(start, high + 1)
    if start <= HIGHEST:
        out.append((start, HIGHEST))
    return tuple(out)


def folded(ranges: Ranges) -> Ranges:
    """The ranges with both cases of every ASCII letter; wider alphabets are left to Terraform."""
    out = list(ranges)
    for low, high in ranges:
        if high > 127 and high != HIGHEST:
            raise Unsupported("case folding beyond ASCII")
        for first, last, shift in ((65, 90, 32), (97, 122, -32)):
            if max(low, first) <= min(high, last):
                out.append((max(low, first) + shift, min(high, last) + shift))
    return tuple(out)


class Compiler:
    """Recursive descent over the pattern, emitting the program as it goes."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.groups = 0
        self.names: dict[str, int] = {}

    def compile(self) -> list[Step]:
        program = self.alternation(Flags())
        if self.at != len(self.pattern):
            raise Unsupported("unbalanced bracket")
        return [Step("save", x=0), *program, Step("save", x=1), Step("match")]

    def peek(self, size: int = 1) -> str:
        return self.pattern[self.at : self.at + size]

    def take(self) -> str:
        if self.at >= len(self.pattern):
            raise Unsupported("pattern ends too soon")
        self.at += 1
        return self.pattern[self.at - 1]

    def alternation(self, flags: Flags) -> list[Step]:
        branches: list[list[Step]] = []
        while True:
            branch, flags = self.sequence(flags)
            branches.append(branch)
            if self.peek() != "|":
                break
            self.at += 1
        program = branches.pop()
        while branches:
            first = branches.pop()
            size = len(first)
            program = [Step("split", x=1, y=size + 2), *first, Step("jump", x=len(program) + 1), *program]
        return _limited(program)

    def sequence(self, flags: Flags) -> tuple[list[Step], Flags]:
        program: list[Step] = []
        while self.peek() not in {"", "|", ")"}:
            if self.peek(2) == "(?" and (switched := self.inline_flags(flags)) is not None:
                flags = switched
                continue
            program += self.repeated(self.atom(flags), flags)
        return _limited(program), flags

    def inline_flags(self, flags: Flags) -> Flags | None:
        """`(?i)` switches for the rest of the group; None when it is a group of its own."""
        end = self.pattern.find(")", self.at)
        letters = self.pattern[self.at + 2 : end] if end > 0 else ""
        if not letters or set(letters) - set("imsU-"):
            return None
        self.at = end + 1
        return _switch(flags, letters)

    def atom(self, flags: Flags) -> list[Step]:
        character = self.take()
        if character == "(":
            return self.group(flags)
        if character == "[":
            return [Step("chars", self.char_class(flags))]
        if character == ".":
            return [Step("chars", ((0, HIGHEST),) if flags.dot_all else negated(((10, 10),)))]
        if character == "^":
            return [Step("line_start" if flags.lines else "start")]
        if character == "$":
            return [Step("line_end" if flags.lines else "end")]
        if character == "\\":
            return self.escape(flags)
        if character in "*+?":
            raise Unsupported("nothing to repeat")
        return [self.chars(((ord(character), ord(character)),), flags)]

    def chars(self, ranges: Ranges, flags: Flags) -> Step:
        return Step("chars", folded(ranges) if flags.fold else ranges)

    def group(self, flags: Flags) -> list[Step]:
        number = 0
        if self.peek() == "?":
            if self.peek(2) == "?P" or self.peek(2) == "?<":
                number = self.named_group()
            else:
                colon = self.pattern.find(":", self.at)
                letters = self.pattern[self.at + 1 : colon] if colon > 0 else "!"
                if set(letters) - set("imsU-"):
                    raise Unsupported("this kind of group")
                self.at = colon + 1
                flags = _switch(flags, letters)
        else:
            self.groups += 1
            number = self.groups
        inner = self.alternation(flags)
        if self.peek() != ")":
            raise Unsupported("missing )")
        self.at += 1
        return [Step("save", x=2 * number), *inner, Step("save", x=2 * number + 1)] if number else inner

    def named_group(self) -> int:
        self.at += 2 if self.peek(3) == "?P<" else 1
        end = self.pattern.find(">", self.at)
        name = self.pattern[self.at + 1 : end]
        if (
            self.peek() != "<"
            or end < 0
            or not (name.isascii() and name.isidentifier())
            or name in self.names
        ):
            raise Unsupported("this kind of group")
        self.at = end + 1
        self.groups += 1
        self.names[name] = self.groups
        return self.groups

    def escape(self, flags: Flags) -> list[Step]:
        mark = self.take()
        asserted = {"A": "start", "z": "end", "b": "boundary", "B": "inside"}
        if mark in asserted:
            return [Step(asserted[mark])]
        self.at -= 1
        return [self.chars(self.class_escape(), flags)]

    def class_escape(self) -> Ranges:
        """What stands after a backslash, inside or outside a class."""
        mark = self.take()
        if mark.lower() in CLASSES:
            return CLASSES[mark] if mark.islower() else negated(CLASSES[mark.lower()])
        if mark in CONTROL:
            return ((CONTROL[mark], CONTROL[mark]),)
        if mark == "x":
            return self.hexadecimal()
        if mark.isascii() and not mark.isalnum():
            return ((ord(mark), ord(mark)),)
        raise Unsupported(f"\\{mark}")

    def hexadecimal(self) -> Ranges:
        if self.peek() == "{":
            end = self.pattern.find("}", self.at)
            digits = self.pattern[self.at + 1 : end]
            self.at = end + 1
        else:
            digits = self.peek(2)
            self.at += 2
        if not digits or len(digits) > 6 or set(digits) - set("0123456789abcdefABCDEF"):
            raise Unsupported("\\x")
        code = int(digits, 16)
        return ((code, code),)

    def char_class(self, flags: Flags) -> Ranges:
        invert = self.peek() == "^"
        self.at += invert
        found: list[tuple[int, int]] = []
        first = True
        while first or self.peek() != "]":
            first = False
            if self.peek(2) == "[:":
                found += self.posix()
                continue
            low = self.class_char()
            if self.peek() == "-" and self.peek(2) != "-]" and len(low) == 1 and low[0][0] == low[0][1]:
                self.at += 1
                high = self.class_char()
                if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    raise Unsupported("class range")
                low = ((low[0][0], high[0][0]),)
            found += low
        self.at += 1
        # Case is folded before the class is turned round: (?i)[^a] takes neither a nor A.
        ranges = folded(tuple(found)) if flags.fold else tuple(found)
        return negated(ranges) if invert else ranges

    def class_char(self) -> Ranges:
        character = self.take()
        if character == "\\":
            return self.class_escape()
        return ((ord(character), ord(character)),)

    def posix(self) -> Ranges:
        end = self.pattern.find(":]", self.at)
        name = self.pattern[self.at + 2 : end]
        invert = name.startswith("^")
        ranges = POSIX.get(name.removeprefix("^"))
        if end < 0 or ranges is None:
            raise Unsupported("class name")
        self.at = end + 2
        return negated(ranges) if invert else ranges

    def repeated(self, body: list[Step], flags: Flags) -> list[Step]:
        bounds = self.quantifier()
        if bounds is None:
            return body
        lazy = self.peek() == "?"
        self.at += lazy
        if self.peek() in {"*", "+", "?"} and self.peek():
            raise Unsupported("repeat of a repeat")
        low, high = bounds
        greedy = lazy == flags.swap
        program = body * low
        if len(program) > MAX_PROGRAM:
            raise Unsupported("pattern too large")
        if high is None:
            return _limited(program + _star(body, greedy=greedy))
        # a{0,2} is (a(a)?)?: each further one only after the one before it.
        tail: list[Step] = []
        for _ in range(high - low):
            tail = _limited([_split(1, len(body) + len(tail) + 1, greedy=greedy), *body, *tail])
        return _limited(program + tail)

    def quantifier(self) -> tuple[int, int | None] | None:
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        mark = self.peek()
        if mark in simple:
            self.at += 1
            return simple[mark]
        if mark != "{":
            return None
        end = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at + 1 : end].partition(",")
        if (
            end < 0
            or not (low.isascii() and low.isdigit())
            or (high and not (high.isascii() and high.isdigit()))
        ):
            # RE2 takes such a brace as a plain character, which is seldom what was meant.
            raise Unsupported("brace")
        bounds = (int(low), int(high) if high else (None if comma else int(low)))
        if bounds[0] > MAX_REPEAT or (bounds[1] is not None and not bounds[0] <= bounds[1] <= MAX_REPEAT):
            raise Unsupported("repeat count")
        self.at = end + 1
        return bounds


def _limited(program: list[Step]) -> list[Step]:
    if len(program) > MAX_PROGRAM:
        raise Unsupported("pattern too large")
    return program


def _switch(flags: Flags, letters: str) -> Flags:
    names = {"i": "fold", "m": "lines", "s": "dot_all", "U": "swap"}
    value = True
    for letter in letters:
        if letter == "-":
            value = False
        else:
            flags = replace(flags, **{names[letter]: value})
    return flags


def _split(first: int, second: int, *, greedy: bool) -> Step:
    return Step("split", x=first, y=second) if greedy else Step("split", x=second, y=first)


def _star(body: list[Step], *, greedy: bool) -> list[Step]:
    return [_split(1, len(body) + 2, greedy=greedy), *body, Step("jump", x=-len(body) - 1)]
