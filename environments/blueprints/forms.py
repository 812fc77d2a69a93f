"""The form of a definition, made from the blueprint's variables: each editable as what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from environments.blueprints.conversion import Faults, convert
from environments.blueprints.drafts import forget_secrets, keep_secrets, kept_secrets
from environments.blueprints.exact import Value, read_json, write_json
from environments.blueprints.models import BlueprintSnapshot
from environments.blueprints.posted import BLANK, Posted, empty_of, shown
from environments.blueprints.types import Collection, ObjectType, Primitive, Type, short_type, type_json
from environments.blueprints.validation import check_variables, effective
from environments.blueprints.variables import Variable
from environments.models import Definition, Environment
from portal.accounts.models import User
from portal.core.errors import GatehouseError, StaleState

MAX_NOTE = 300


def is_field_of(name: str, posted_name: str) -> bool:
    """Whether a posted field is `name` itself or a part of it."""
    return posted_name == name or posted_name.startswith((f"{name}-", f"{name}."))


@dataclass
class VariableField:
    """One variable on the page. A sensitive one never carries a value."""

    variable: Variable
    typed: Any = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    # What a sensitive variable has: "stored" in the last definition, "typed" and kept, or "".
    held: str = ""
    cleared: bool = False
    is_null: bool = False

    @property
    def name(self) -> str:
        return f"var-{self.variable.name}"

    @property
    def help_id(self) -> str:
        return f"help-{self.variable.name}"

    @property
    def type(self) -> str | list[Any]:
        return type_json(self.variable.type)

    @property
    def is_plain(self) -> bool:
        """A single control, so a label can point at it."""
        return isinstance(self.variable.type, Primitive)

    @property
    def needs_json(self) -> bool:
        """A sensitive value that is more than one text is typed as JSON."""
        return not (self.is_plain and str(self.variable.type) != "any")

    @property
    def short_type(self) -> str:
        return short_type(self.variable.type)

    @property
    def is_folded(self) -> bool:
        """A group that is all as the blueprint has it stays closed until somebody wants it otherwise."""
        variable = self.variable
        if self.is_plain or variable.sensitive or variable.required or self.has_errors:
            return False
        return bool(self.typed == shown(variable.effective_default, variable.type))

    @property
    def has_errors(self) -> bool:
        return any(is_field_of(self.name, name) for name in self.errors)

    @property
    def default_text(self) -> str:
        """The default, for whoever leaves the field blank; none for secrets, and objects show their own."""
        variable = self.variable
        if not variable.has_default or variable.sensitive or isinstance(variable.type, ObjectType):
            return ""
        if variable.effective_default is None:
            return ""
        return write_json(self.variable.effective_default)

    @property
    def own_errors(self) -> list[str]:
        return self.errors.get(self.name, []) if self.variable.sensitive else []


@dataclass
class DefinitionForm:
    """Unbound (data None) it shows what is in force; bound, what was typed, with every fault at its field.

    After `is_valid()`: `variables` and `sensitive` for `actions.define`.
    """

    environment: Environment
    snapshot: BlueprintSnapshot
    user: User
    data: Mapping[str, str] | None = None
    variables: dict[str, Value] = field(default_factory=dict)
    sensitive: dict[str, Value] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    # Faults of what was sent that belong to no field on the page.
    other_errors: list[str] = field(default_factory=list)
    # A newer definition was made meanwhile and the person now knows: the next press builds on it.
    restarted: bool = False
    _typed: dict[str, Value] = field(default_factory=dict)

    @cached_property
    def latest(self) -> Definition | None:
        return self.environment.latest_definition

    @property
    def base(self) -> int:
        """The number this form started from: saving it over a newer one must be seen."""
        text = "" if self.data is None or self.restarted else self.data.get("base", "")
        if text.isascii() and text.isdigit() and len(text) < 10:
            return int(text)
        return self.latest.number if self.latest else 0

    @property
    def note(self) -> str:
        return "" if self.data is None else self.data.get("note", "").strip()

    @cached_property
    def _given(self) -> dict[str, Value]:
        return dict(self.latest.variables) if self.latest else {}

    @cached_property
    def _stored(self) -> dict[str, Value]:
        names = self.snapshot.sensitive_names
        return {k: v for k, v in self.latest.sensitive.items() if k in names} if self.latest else {}

    @cached_property
    def _kept(self) -> dict[str, Value]:
        names = self.snapshot.sensitive_names
        return {k: v for k, v in kept_secrets(self.user, self.environment).items() if k in names}

    @cached_property
    def fields(self) -> list[VariableField]:
        """One per variable, in the order of the blueprint's files."""
        in_force = effective(self.snapshot.schema, self._given)
        made = []
        for variable in self.snapshot.schema:
            value = in_force.get(variable.name)
            one = VariableField(variable, held=self._held(variable))
            if not variable.sensitive:
                one.typed = shown(value, variable.type)
                one.is_null = variable.name in self._given and value is None and variable.default is not None
            made.append(one)
        return made

    def _held(self, variable: Variable) -> str:
        if not variable.sensitive:
            return ""
        return "typed" if variable.name in self._kept else "stored" if variable.name in self._stored else ""

    def is_valid(self) -> bool:
        """Read and judge everything that was posted; what was typed stays, secrets out of sight."""
        assert self.data is not None
        posted = Posted(self.data)
        given: dict[str, Value] = {}
        secrets = self._stored | self._kept
        typed_secrets = dict(self._kept)
        for one in self.fields:
            if one.variable.sensitive:
                self._read_secret(one, posted, secrets, typed_secrets)
            else:
                self._read_value(one, posted, given)
        unreadable = {self._variable_at(name) for name in posted.errors}
        faults = check_variables(self.snapshot.schema, given | secrets)
        for path, messages in faults.found.items():
            if _variable_of(path) not in unreadable:
                self._place(path, messages, posted)
        self.errors |= posted.errors
        if len(self.note) > MAX_NOTE:
            self.errors["note"] = [_("has at most 300 characters")]
        for one in self.fields:
            one.errors = self.errors
            one.held = "typed" if one.variable.name in typed_secrets else one.held
        self.variables, self.sensitive, self._typed = given, secrets, typed_secrets
        if self.errors or self.other_errors:
            self.keep()
        return not (self.errors or self.other_errors)

    def keep(self) -> None:
        """The definition was not saved: hold on to the secrets that were typed, out of sight."""
        keep_secrets(self.user, self.environment, self._typed)

    def _read_value(self, one: VariableField, posted: Posted, given: dict[str, Value]) -> None:
        variable = one.variable
        assert self.data is not None
        value, one.typed = posted.read(one.name, variable.type, variable.name)
        one.is_null = bool(self.data.get(f"null-{variable.name}"))
        if value is BLANK and one.is_null:
            value = None
        elif value is BLANK and self.data.get(f"has-{variable.name}"):
            value = _emptied(variable)
        if value is BLANK or _is_default(variable, value):
            return
        given[variable.name] = value

    def _read_secret(
        self, one: VariableField, posted: Posted, secrets: dict[str, Value], typed: dict[str, Value]
    ) -> None:
        assert self.data is not None
        name = one.variable.name
        text = self.data.get(one.name, "")
        posted.names[name] = one.name
        if self.data.get(f"clear-{name}") and not text:
            secrets.pop(name, None)
            typed.pop(name, None)
            one.cleared = True
        elif text and one.needs_json:
            try:
                secrets[name] = typed[name] = read_json(text)
            except (ValueError, RecursionError):
                posted.errors[one.name] = [_("must be JSON; it was not kept, please type it again")]
        elif text:
            secrets[name] = typed[name] = text.replace("\r\n", "\n")

    def _variable_at(self, field_name: str) -> str:
        """The variable a field of the page belongs to; names may hold hyphens, so the longest that fits."""
        names = [f.variable.name for f in self.fields if is_field_of(f.name, field_name)]
        return max(names, key=len, default="")

    def _place(self, path: str, messages: list[str], posted: Posted) -> None:
        """Put a fault at its field, or at the nearest field around it."""
        nearest = path
        while nearest and nearest not in posted.names:
            nearest = _outer(nearest)
        if not nearest:
            self.other_errors += [f"{path}: {message}" for message in messages]
            return
        one = next((f for f in self.fields if f.variable.name == _variable_of(path)), None)
        if one is not None and one.variable.sensitive and path != nearest:
            messages = [f"{path}: {message}" for message in messages]
        self.errors.setdefault(posted.names[nearest], []).extend(messages)

    def refused(self, error: GatehouseError) -> None:
        """The action said no although the form was in order: show why, lose nothing."""
        self.other_errors.append(f"{error.message} {error.hint}".strip())
        self.restarted = isinstance(error, StaleState)
        self.keep()

    def unchanged(self) -> bool:
        """Whether saving would only repeat the newest definition."""
        latest = self.latest
        if latest is None or latest.snapshot != self.snapshot.digest:
            return False
        schema = self.snapshot.schema
        before = effective(schema, {**latest.variables, **latest.sensitive})
        return before == effective(schema, self.variables | self.sensitive)

    def saved(self) -> None:
        """The definition stands: what was kept of it can go."""
        forget_secrets(self.user, self.environment)


def _emptied(variable: Variable) -> Any:
    """A collection without rows on the page is empty, unless its default is as empty."""
    if not isinstance(variable.type, Collection):
        return empty_of(variable.type) if variable.required and _is_object(variable.type) else BLANK
    if variable.has_default and not variable.default:
        return BLANK
    return empty_of(variable.type)


def _is_object(wanted: Type) -> bool:
    return not isinstance(wanted, Primitive | Collection)


def _is_default(variable: Variable, value: Value) -> bool:
    """Unchanged defaults stay the blueprint's: only what differs is the definition's own."""
    if not variable.has_default:
        return False
    faults = Faults()
    converted = convert(value, variable.type, faults)
    return not faults and converted == variable.effective_default


def _variable_of(path: str) -> str:
    return path.split(".")[0].split("[")[0]


def _outer(path: str) -> str:
    """The path around a path: "a.b[0]" -> "a.b" -> "a" -> ""."""
    cut = max(path.rfind("."), path.rfind("["))
    return path[:cut] if cut > 0 else ""
