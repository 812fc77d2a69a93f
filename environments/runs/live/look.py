"""One look at AWS: what stands on the environment's managed resources beside what its state has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import gettext as _

from environments.accounts import access_to
from environments.blueprints import snapshots
from environments.models import Environment, Resource
from environments.runs.blueprint_sources import Sources
from environments.runs.drift.checks import last_applied
from environments.runs.live import groups, policies, public
from environments.runs.live.found import Extra, Landscape, Managed, Reach
from environments.runs.live.rules import RULES
from environments.runs.models import LiveExtra
from environments.runs.states import store
from portal.aws.errors import AwsError
from portal.aws.sessions import AccountAccess, verify_identity
from portal.core.errors import Conflict, GatehouseError
from portal.terraform.state import read_state

logger = logging.getLogger(__name__)
Looker = Callable[[Landscape, Reach], Iterator[Extra]]
LOOKERS: Final[dict[str, Looker]] = {
    LiveExtra.Kind.RULE: groups.extras,
    LiveExtra.Kind.ATTACHMENT: policies.extras,
    LiveExtra.Kind.PUBLIC: public.extras,
}
# What another environment of the same account may manage on this one's resources.
NEIGHBOURLY: Final = (
    *RULES,
    "aws_s3_bucket_acl",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_iam_policy_attachment",
    *(
        f"aws_iam_{kind}_{what}"
        for kind in ("role", "user", "group")
        for what in ("policy", "policy_attachment", "policies_exclusive", "policy_attachments_exclusive")
    ),
)


@dataclass(frozen=True)
class Look:
    """What was found, and for the kinds that could not be looked at, why."""

    found: tuple[Extra, ...]
    errors: dict[str, GatehouseError]


def reach_of(environment: Environment) -> Reach:
    """The way into each region of the environment's account, once it is proven to be that account.

    Raises Conflict without an account, AwsError when it cannot be entered.
    """
    account = environment.account
    if account is None:
        raise Conflict(_("The environment has no AWS account, so there is nothing to look at."))
    verify_identity(access_to(account, environment.region))
    kept: dict[str, AccountAccess] = {}

    def reach(region: str) -> AccountAccess:
        if region not in kept:
            kept[region] = access_to(account, region)
        return kept[region]

    return reach


def landscape_of(environment: Environment) -> Landscape:
    """The newest state, what the account's other environments manage, and the blueprint last applied.

    Raises Conflict before the first state, StateUnreadable.
    """
    version = store.current(environment)
    account = environment.account
    if version is None or account is None:
        raise Conflict(_("Nothing is applied here, so there is nothing to compare with."))
    own = tuple(
        Managed(one.address, one.type, one.values)
        for one in read_state(version.content).managed
        if not one.deposed
    )
    neighbours = Resource.objects.filter(
        environment__account__account_id=account.account_id, type__in=NEIGHBOURLY
    ).exclude(environment=environment)
    return Landscape(
        own=own,
        neighbours=tuple(Managed(one.address, one.type, one.attributes) for one in neighbours),
        sources=_sources(environment),
        account_id=account.account_id,
        region=environment.region,
    )


def _sources(environment: Environment) -> Sources | None:
    run = last_applied(environment)
    if run is None:
        return None
    try:
        return Sources.of(snapshots.snapshot_of(run.definition.snapshot))
    except GatehouseError:
        # Without it computed attributes of the state are taken as they are; the look goes on.
        logger.warning("The blueprint of %s could not be read", environment, exc_info=True)
        return None


def look(environment: Environment) -> Look:
    """Every extra there is now. What AWS refuses for one kind leaves the others standing; raises GatehouseError."""
    reach, landscape = reach_of(environment), landscape_of(environment)
    found: list[Extra] = []
    errors: dict[str, GatehouseError] = {}
    for kind, looker in LOOKERS.items():
        try:
            found += list(looker(landscape, reach))
        except AwsError as refused:
            errors[kind] = refused
    return Look(tuple(found), errors)


def find(environment: Environment, row: LiveExtra) -> Extra | None:
    """This extra as it stands now; None when it is gone, or a state has it meanwhile. Raises GatehouseError."""
    reach, landscape = reach_of(environment), landscape_of(environment)
    for extra in LOOKERS[row.kind](replace(landscape, only=row.address), reach):
        if extra.identity == (row.kind, row.resource_id, row.key):
            return extra
    return None
