"""Environments: created, described, cloned, retired."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from environments.actions.checking import check, facts, links
from environments.acts import acting
from environments.models import AwsAccount, Definition, Environment, Tenant
from environments.permissions import actor, require
from environments.registry import registry
from portal import audit
from portal.accounts.principals import Principal
from portal.core.errors import Conflict, InvalidInput

FIELDS = (
    "name",
    "environment_class",
    "description",
    "blueprint",
    "account",
    "region",
    "owner",
    "repository",
    "on_call",
    "links",
)


def target_of(environment: Environment) -> audit.Target:
    return audit.Target("environment", environment.key, str(environment))


def _record(
    by: Principal, environment: Environment, action: str, before: dict[str, Any] | None = None
) -> None:
    audit.record(
        actor=actor(by, environment),
        action=action,
        target=target_of(environment),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        before=before,
        after=facts(environment, FIELDS),
    )


def _check(environment: Environment) -> None:
    account: AwsAccount | None = environment.account
    if account is not None and account.tenant_id != environment.tenant_id:
        raise InvalidInput({"account": [_("This account belongs to another tenant.")]})
    check(environment)


def _check_blueprint(name: str) -> None:
    """A blueprint chosen now must be there; one chosen long ago may have gone since."""
    if name and name not in set(registry.blueprints()):
        raise InvalidInput({"blueprint": [_("There is no blueprint “%(name)s”.") % {"name": name}]})


def create_environment(
    *, by: Principal, tenant: Tenant, slug: str, variables: Mapping[str, Any] | None = None, **fields: Any
) -> Environment:
    """Describe a new environment; what it is built from may follow. Raises NotAllowed, InvalidInput.

    With `variables` its first definition is made too, or neither: errors in them come as "variables.NAME".
    """
    fields["links"] = links(fields.get("links", []))
    fields.setdefault("name", slug)
    environment = Environment(tenant=tenant, slug=slug, **fields)
    with acting(by, tenant, action="environment.create", target=target_of(environment)):
        require(by, tenant, "environment.create")
        _check_blueprint(environment.blueprint)
        if variables is not None:
            require(by, tenant, "definition.create")
        _create(by, environment)
        if variables is not None:
            _define(by, environment, variables)
    return environment


def _define(by: Principal, environment: Environment, variables: Mapping[str, Any]) -> None:
    if not environment.blueprint or registry.define is None:
        raise InvalidInput({"blueprint": [_("Values need a blueprint: choose one.")]})
    try:
        registry.define(by, environment, variables)
    except InvalidInput as wrong:
        raise InvalidInput(
            {f"variables.{name}" if name else "variables": texts for name, texts in wrong.errors.items()}
        ) from None


def _create(by: Principal, environment: Environment) -> None:
    _check(environment)
    try:
        with transaction.atomic():
            environment.save()
    except IntegrityError:
        # The check above saw it free; somebody else was faster.
        raise InvalidInput({"slug": [_("An environment of this name was made just now.")]}) from None
    _record(by, environment, "environment.create")
    for hook in registry.on_created:
        hook(by, environment)


def update_environment(*, by: Principal, environment: Environment, **fields: Any) -> Environment:
    """Alter the description. Raises NotAllowed, InvalidInput, Conflict when it is retired."""
    with acting(by, environment, action="environment.update", target=target_of(environment)):
        require(by, environment, "environment.update")
        _not_retired(environment)
        before = facts(environment, FIELDS)
        if "links" in fields:
            fields["links"] = links(fields["links"])
        if fields.get("blueprint", environment.blueprint) != environment.blueprint:
            _change_blueprint(environment, fields["blueprint"])
        for name in FIELDS:
            if name in fields:
                setattr(environment, name, fields[name])
        _check(environment)
        environment.save()
        _record(by, environment, "environment.update", before)
    return environment


def _change_blueprint(environment: Environment, name: str) -> None:
    if environment.resources.exists():
        held = _("The environment holds resources of its present blueprint; destroy them first.")
        raise InvalidInput({"blueprint": [held]})
    _check_blueprint(name)


def clone_environment(
    *, by: Principal, source: Environment, slug: str, name: str, account: AwsAccount | None, region: str = ""
) -> Environment:
    """A new environment with the newest definition of `source` as its first.

    Sensitive values are not copied: a clone must not share its passwords; they are asked for in the form.
    """
    clone = Environment(
        tenant=source.tenant,
        slug=slug,
        name=name,
        environment_class=source.environment_class,
        description=source.description,
        blueprint=source.blueprint,
        account=account,
        region=region or source.region,
        owner=source.owner,
        repository=source.repository,
        on_call=source.on_call,
        links=source.links,
        cloned_from=source,
    )
    with acting(by, source, action="environment.clone", target=target_of(source)):
        require(by, source, "environment.clone")
        _create(by, clone)
        newest = source.latest_definition
        if newest is not None and by.user is not None:
            Definition.objects.create(
                environment=clone,
                number=1,
                blueprint=newest.blueprint,
                snapshot=newest.snapshot,
                variables=newest.variables,
                note=_("Cloned from %(source)s definition %(n)s") % {"source": source, "n": newest.number},
                author=by.user,
            )
        _record(by, clone, "environment.clone")
    return clone


def retire_environment(*, by: Principal, environment: Environment, confirm_name: str) -> None:
    """Take an environment out of service; its history stays. Raises Conflict while anything of it stands."""
    with acting(by, environment, action="environment.retire", target=target_of(environment)):
        require(by, environment, "environment.retire")
        _not_retired(environment)
        if confirm_name != environment.key:
            raise InvalidInput({"confirm_name": [_("Type %(key)s to retire it.") % {"key": environment.key}]})
        blockers = [text for ask in registry.retire_blockers for text in ask(environment)]
        if blockers:
            raise Conflict(" ".join(blockers))
        environment.retired_at = timezone.now()
        environment.save(update_fields=["retired_at"])
        _record(by, environment, "environment.retire")


def _not_retired(environment: Environment) -> None:
    if environment.retired_at is not None:
        raise Conflict(_("The environment is retired."))
