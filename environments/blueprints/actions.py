"""What people do in this room: they define what an environment shall be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from environments.acts import acting
from environments.blueprints.comparing import MISSING, fingerprint
from environments.blueprints.exact import Value, storable
from environments.blueprints.models import BlueprintSnapshot
from environments.blueprints.snapshots import current_snapshot, snapshot_of
from environments.blueprints.validation import tfvars, validate_variables
from environments.models import Definition, Environment
from environments.permissions import actor, require
from portal.accounts.principals import Principal
from portal.audit import Target, record
from portal.core.errors import Conflict, InvalidInput, StaleState

MAX_NOTE = 300


def define(
    *,
    by: Principal,
    environment: Environment,
    variables: Mapping[str, Value],
    sensitive: Mapping[str, Value],
    note: str = "",
    base: int | None = None,
) -> Definition:
    """Make the environment's next definition from these values, on the blueprint as it is now.

    `variables` and `sensitive` together are the whole definition; what is left out takes its default.
    `base`: the newest number the person knew of. Raises InvalidInput by path, NotAllowed, StaleState when a
    newer definition was made meanwhile, Conflict for a retired environment or one without a blueprint.
    """
    target = Target("definition", environment.key, str(environment))
    with acting(by, environment, action="definition.create", target=target):
        require(by, environment, "definition.create")
        snapshot = snapshot_for(environment)
        plain, secret = validate_variables(snapshot.schema, {**variables, **sensitive})
        if len(note) > MAX_NOTE:
            raise InvalidInput({"note": [_("has at most 300 characters")]})
        return _store(by, environment, snapshot, plain, secret, note.strip(), base)


def define_first(by: Principal, environment: Environment, variables: Mapping[str, Value]) -> Definition:
    """The first definition of an environment that is being created; errors as `define`."""
    plain, secrets = whole_definition(environment, variables)
    return define(by=by, environment=environment, variables=plain, sensitive=secrets)


def snapshot_for(environment: Environment) -> BlueprintSnapshot:
    """The blueprint content the environment's next definition pins; Conflict when it can have none."""
    if environment.retired_at is not None:
        raise Conflict(_("This environment is retired."), hint=_("Its definitions can still be read."))
    if not environment.blueprint:
        raise Conflict(
            _("This environment is only described: it has no blueprint yet."),
            hint=_("Choose its blueprint on the environment's page first."),
        )
    return current_snapshot(environment.blueprint)


def _store(
    by: Principal,
    environment: Environment,
    snapshot: BlueprintSnapshot,
    plain: dict[str, Value],
    secret: dict[str, Value],
    note: str,
    base: int | None,
) -> Definition:
    if by.user is None:
        raise Conflict(_("A definition has an author; the portal itself writes none."))
    # Two people saving at once get two numbers: the second waits for the environment's row.
    Environment.objects.select_for_update().get(pk=environment.pk)
    newest = environment.definitions.aggregate(n=Max("number"))["n"] or 0
    if base is not None and base != newest:
        raise StaleState(
            _("Definition %(number)d was saved in the meantime.") % {"number": newest},
            hint=_("Compare it with yours; saving again builds on it knowingly."),
        )
    previous = environment.definitions.filter(number=newest).first()
    made = Definition.objects.create(
        environment=environment,
        number=newest + 1,
        blueprint=snapshot.blueprint,
        snapshot=snapshot.digest,
        variables=storable(plain),
        sensitive=storable(secret),
        note=note,
        author=by.user,
    )
    record(
        actor=actor(by, environment),
        action="definition.create",
        target=Target("definition", f"{environment.key}/{made.number}", str(made)),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        before=_recorded(previous, None),
        after=_recorded(made, previous),
        detail=note,
    )
    return made


def _recorded(definition: Definition | None, previous: Definition | None) -> dict[str, Any] | None:
    """A definition as the audit log keeps it: of a secret only whether it was set and changed."""
    if definition is None:
        return None
    earlier = previous.sensitive if previous else {}
    words = []
    for name, value in sorted(definition.sensitive.items()):
        same = fingerprint(value) == fingerprint(earlier.get(name, MISSING))
        # The word in front: "password: set" would look like a password to the log's masking.
        words.append(f"{'unchanged' if same else 'set'} {name}")
    words += [f"cleared {name}" for name in sorted(earlier) if name not in definition.sensitive]
    return {
        "number": definition.number,
        "blueprint": definition.blueprint,
        "snapshot": definition.snapshot,
        "variables": definition.variables,
        "sensitive_variables": words,
    }


def whole_definition(
    environment: Environment, variables: Mapping[str, Value]
) -> tuple[dict[str, Value], dict[str, Value]]:
    """(variables, sensitive) for `define` from what a program sent, the secrets it did not send carried over.

    Secrets cannot be read back, so nobody could repeat them; null for one clears it.
    """
    names = snapshot_for(environment).sensitive_names
    latest = environment.latest_definition
    secrets = {k: v for k, v in latest.sensitive.items() if k in names} if latest else {}
    secrets |= {name: value for name, value in variables.items() if name in names}
    plain = {name: value for name, value in variables.items() if name not in names}
    return plain, {name: value for name, value in secrets.items() if value is not None}


def tfvars_of(definition: Definition) -> str:
    """The text of terraform.tfvars.json of a definition: secrets in clear, so for its run only."""
    snapshot = snapshot_of(definition.snapshot)
    return tfvars(snapshot.schema, {**definition.variables, **definition.sensitive})
