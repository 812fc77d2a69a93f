"""Stop signs: nothing starts in an environment while one stands."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from environments.actions.lifecycle import target_of
from environments.acts import acting
from environments.models import Environment, Hold
from environments.permissions import actor, require
from environments.registry import registry
from portal import audit
from portal.accounts.principals import Principal
from portal.core.errors import Conflict, InvalidInput, NotAllowed


def place_hold(
    *, by: Principal, environment: Environment, reason: str, until: datetime | None = None, subject: str = ""
) -> Hold:
    """Stop new starts; what runs already goes on. Raises NotAllowed, InvalidInput, Conflict."""
    if not reason.strip():
        raise InvalidInput({"reason": [_("Say why, so that others know when it may be lifted.")]})
    if until is not None and until <= timezone.now():
        raise InvalidInput({"until": [_("This time is past.")]})
    with acting(by, environment, action="environment.hold", target=target_of(environment)):
        require(by, environment, "environment.hold")
        if by.user is None:
            raise NotAllowed(_("Only people place holds."))
        if environment.holds.active().filter(subject=subject).exists():
            raise Conflict(_("It is on hold already."))
        hold = Hold.objects.create(
            environment=environment,
            subject=subject,
            reason=reason.strip()[:300],
            until=until,
            placed_by=by.user,
        )
        _record(by, environment, "environment.hold", hold)
    return hold


def release_hold(*, by: Principal, hold: Hold) -> None:
    """Lift a hold: whoever placed it, operators and admins may. Raises NotAllowed, Conflict."""
    environment = hold.environment
    with acting(by, environment, action="environment.release", target=target_of(environment)):
        if by.user is None or by.user.pk != hold.placed_by_id:
            require(by, environment, "environment.release")
        lifted = Hold.objects.filter(pk=hold.pk, lifted_at=None)
        if not lifted.update(lifted_at=timezone.now(), lifted_by=by.user):
            raise Conflict(_("The hold is lifted already."))
        _record(by, environment, "environment.release", hold)
        for hook in registry.on_released:
            hook(environment)


def _record(by: Principal, environment: Environment, action: str, hold: Hold) -> None:
    audit.record(
        actor=actor(by, environment),
        action=action,
        target=target_of(environment),
        tenant=environment.tenant.ref,
        environment=environment.slug,
        after={"reason": hold.reason, "until": hold.until, "subject": hold.subject},
    )
