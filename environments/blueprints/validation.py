"""Judging values for a blueprint's variables before Terraform is asked: one door for form and API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from django.utils.translation import gettext as _

from environments.blueprints.conditions import holds, rendered
from environments.blueprints.conversion import Faults, convert
from environments.blueprints.exact import Value, write_json
from environments.blueprints.operands import SetValue
from environments.blueprints.types import Collection, ObjectType, TupleType, Type
from environments.blueprints.variables import Variable
from portal.core.errors import InvalidInput

Values = dict[str, Value]


def validate_variables(schema: Iterable[Variable], data: Mapping[str, Value]) -> tuple[Values, Values]:
    """(variables, sensitive): the given values as their types, apart by who may read them.

    A variable left out takes its default; only what was given is returned. Raises InvalidInput with the
    faults by path, such as {"scaling.max": ["must be a number, such as 3 or 0.5"]}.
    """
    variables = tuple(schema)
    faults = check_variables(variables, data)
    if faults:
        raise InvalidInput(faults.found)
    known = {variable.name: variable for variable in variables}
    given = {
        name: convert(value, known[name].type, Faults())
        for name, value in data.items()
        if not _falls_to_default(known[name], value)
    }
    return (
        {name: value for name, value in given.items() if not known[name].sensitive},
        {name: value for name, value in given.items() if known[name].sensitive},
    )


def check_variables(variables: tuple[Variable, ...], data: Mapping[str, Value]) -> Faults:
    """Everything wrong with `data`, by path; empty when Terraform may be asked."""
    faults = Faults()
    names = [variable.name for variable in variables]
    for name in data:
        if name not in names:
            near = get_close_matches(str(name), names, n=1)
            hint = (
                _("is not a variable of this blueprint; did you mean “%(near)s”?") % {"near": near[0]}
                if near
                else ""
            )
            faults.add(str(name), hint or _("is not a variable of this blueprint"))
    values: Values = {}
    for variable in variables:
        _check_one(variable, data, values, faults)
    for variable in variables:
        if variable.name in values:
            _check_rules(variable, values, faults)
    return faults


def _falls_to_default(variable: Variable, value: Value) -> bool:
    """Terraform reads null for a variable that may not be null as “take the default”."""
    return value is None and not variable.nullable and variable.has_default


def _check_one(variable: Variable, data: Mapping[str, Value], values: Values, faults: Faults) -> None:
    """Convert one value into `values`, as the conditions see it, or note what is wrong."""
    name = variable.name
    if name not in data or _falls_to_default(variable, data[name]):
        if variable.required:
            faults.add(name, _("is required"))
        else:
            values[name] = seen_by_rules(variable.effective_default, variable.type)
        return
    if data[name] is None and not variable.nullable:
        faults.add(name, _("must not be null"))
        return
    own = Faults()
    converted = convert(data[name], variable.type, own, path=name)
    if own:
        faults.found.update(own.found)
    else:
        values[name] = seen_by_rules(converted, variable.type)


def _check_rules(variable: Variable, values: Values, faults: Faults) -> None:
    for rule in variable.validations:
        # None: only Terraform can tell. A wrong refusal would be worse than a late one.
        if holds(rule.condition, values) is False:
            # A message that quotes a secret would show it: its source stands in then.
            shown = {} if variable.sensitive else values
            faults.add(variable.name, rendered(rule.error_message, shown))


def seen_by_rules(value: Value, wanted: Type) -> Value:
    """The value with its sets marked as sets: they have no order and no places."""
    if value is None:
        return None
    if isinstance(wanted, Collection) and wanted.kind == "map":
        return {key: seen_by_rules(item, wanted.element) for key, item in value.items()}
    if isinstance(wanted, Collection):
        items = [seen_by_rules(item, wanted.element) for item in value]
        return SetValue(items) if wanted.kind == "set" else items
    if isinstance(wanted, TupleType):
        return [seen_by_rules(item, kind) for item, kind in zip(value, wanted.elements, strict=True)]
    if isinstance(wanted, ObjectType):
        return {name: seen_by_rules(value[name], wanted.attributes[name].type) for name in value}
    return value


def effective(variables: Iterable[Variable], given: Mapping[str, Value]) -> Values:
    """Every variable's value: the given one, else the default; a required one not given is missing."""
    out: Values = {}
    for variable in variables:
        if variable.name in given:
            out[variable.name] = convert(given[variable.name], variable.type, Faults(), strict=False)
        elif variable.has_default:
            out[variable.name] = variable.effective_default
    return out


def tfvars(variables: Iterable[Variable], given: Mapping[str, Value]) -> str:
    """The text of `terraform.tfvars.json` for the given values, numbers exact, keys sorted."""
    kinds = {variable.name: variable.type for variable in variables}
    converted = {
        name: convert(value, kinds[name], Faults(), strict=False)
        for name, value in given.items()
        if name in kinds
    }
    return write_json(converted, indent=2) + "\n"
