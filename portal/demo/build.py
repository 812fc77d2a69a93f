"""Putting the demonstration together; a second call adds only what is missing."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.conf import settings
from django.utils import timezone

from environments import actions
from environments.blueprints.actions import define
from environments.changes.models import Change
from environments.models import AwsAccount, Definition, Environment, Tenant
from environments.runs.actions import request_run
from portal.accounts.models import User
from portal.accounts.principals import Principal
from portal.core.errors import GatehouseError
from portal.demo.people import create_people, grant_outsider, grant_roles
from portal.demo.tenants import ACCOUNTS, DEFINITIONS, ENVIRONMENTS, REGION, TENANTS

SETUP = Principal(None, "system", name="demo set-up")


class DemoRefusedError(GatehouseError):
    """Not here: these sign-ins are public."""

    status = 403
    title = "Not in production"


def build() -> dict[str, User]:
    """People, tenants, accounts, environments and their first definitions; returns the people by name."""
    if settings.PRODUCTION:
        raise DemoRefusedError("The demonstration has public passwords; it is not for production.")
    people = create_people()
    for facts in TENANTS:
        if not Tenant.objects.filter(slug=facts["slug"]).exists():
            actions.create_tenant(by=SETUP, **facts)
    tenants = {tenant.slug: tenant for tenant in Tenant.objects.all()}
    grant_roles(SETUP, people, [tenants[slug] for slug in ("triflow-ai", "onno", "sesami")])
    grant_outsider(SETUP, people, tenants["lighthouse"])
    accounts = _accounts(tenants)
    for facts in ENVIRONMENTS:
        _environment(dict(facts), tenants, accounts)
    _definitions(people["operator2"])
    return people


def _accounts(tenants: dict[str, Tenant]) -> dict[str, AwsAccount]:
    for slug, rows in ACCOUNTS.items():
        for name, account_id in rows:
            if not AwsAccount.objects.filter(tenant=tenants[slug], name=name).exists():
                actions.create_account(
                    by=SETUP, tenant=tenants[slug], name=name, account_id=account_id, kind="sandbox"
                )
    return {account.name: account for account in AwsAccount.objects.all()}


def _environment(facts: dict[str, Any], tenants: dict[str, Tenant], accounts: dict[str, AwsAccount]) -> None:
    tenant = tenants[facts.pop("tenant")]
    if Environment.objects.filter(tenant=tenant, slug=facts["slug"]).exists():
        return
    facts["account"] = accounts.get(facts.pop("account", ""))
    actions.create_environment(
        by=SETUP,
        tenant=tenant,
        region=REGION,
        owner=tenant.owner,
        repository=tenant.repository,
        on_call=tenant.on_call,
        links=tenant.links,
        **facts,
    )


def _definitions(author: User) -> None:
    """The first definitions, from the blueprints' examples, with secrets made here and now."""
    by = Principal(author, "user", name=str(author))
    for key, name in DEFINITIONS.items():
        environment = Environment.objects.select_related("tenant").by_key(key).get()
        if environment.definitions.exists():
            continue
        blueprint = settings.TERRAFORM_DIR / "blueprints" / environment.blueprint
        example = blueprint / "examples" / f"{name}.tfvars.json"
        define(
            by=by,
            environment=environment,
            variables=json.loads(example.read_text()),
            sensitive=_secrets(environment.blueprint),
            note="As the documents describe it",
        )


def _secrets(blueprint: str) -> dict[str, str]:
    """Values of the blueprint's sensitive variables."""
    data = {"db_password": secrets.token_hex(16), "redis_auth_token": secrets.token_hex(24)}
    application = {"JWT_SECRET": secrets.token_hex(32), "OPENAI_API_KEY": "not set in the demonstration"}
    return {
        "web-service": data,
        "container-services": {**data, "application_secrets": json.dumps(application)},
    }.get(blueprint, {})


def apply_staging(people: dict[str, User]) -> Change | None:
    """Request TriFlow AI staging's first apply as its operator, once; the worker does it in the background."""
    environment = Environment.objects.select_related("tenant").by_key("triflow-ai.staging").get()
    newest: Definition | None = environment.latest_definition
    if newest is None or Change.objects.filter(environment=environment).exists():
        return None
    operator = people["operator"]
    return request_run(
        by=Principal(operator, "user", name=str(operator)),
        environment=environment,
        mode="apply",
        reason=f"First apply of the demonstration, {timezone.now():%Y-%m-%d}",
    )
