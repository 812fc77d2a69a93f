"""The strategy a request names, with its numbers: checked against what ECS takes and the blueprint offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.deployments.models import Strategy
from environments.deployments.services import Service

# option -> (least, most, default): ECS's own limits (CreateService, CanaryConfiguration and LinearConfiguration).
OPTIONS: Final[dict[str, dict[str, tuple[float, float, float]]]] = {
    Strategy.ROLLING: {},
    Strategy.BLUE_GREEN: {},
    Strategy.CANARY: {"canary_percent": (0.1, 100, 5), "canary_bake_minutes": (0, 1440, 10)},
    Strategy.LINEAR: {"step_percent": (3, 100, 10), "step_bake_minutes": (0, 1440, 6)},
}
MAX_BAKE_SECONDS: Final = 24 * 3600
Errors = dict[str, list[str]]


def check(
    strategy: str,
    options: Mapping[str, Any] | None,
    bake_seconds: int | None,
    services: Sequence[Service],
    errors: Errors,
) -> tuple[str, dict[str, float]]:
    """The strategy ("" is rolling) and its options with defaults filled in; what is wrong goes to `errors`."""
    chosen = strategy or Strategy.ROLLING
    if chosen not in Strategy.values:
        errors["strategy"] = [_("Use one of: %(names)s.") % {"names": ", ".join(Strategy.values)}]
        return chosen, {}
    for service in services:
        if chosen not in service.declaration.strategies:
            errors.setdefault("strategy", []).append(_not_offered(service, chosen))
    if bake_seconds is not None and not _is_number(bake_seconds, 0, MAX_BAKE_SECONDS, whole=True):
        errors["bake_seconds"] = [
            _("The time to watch the alarms is a whole number of seconds, up to %(most)s.")
            % {"most": MAX_BAKE_SECONDS}
        ]
    return chosen, _options(chosen, options or {}, errors)


def _not_offered(service: Service, strategy: str) -> str:
    offered = ", ".join(service.declaration.strategies)
    text = _("%(service)s is deployed by %(offered)s only.") % {"service": service.name, "offered": offered}
    if service.declaration.blue_green is None and strategy != Strategy.ROLLING:
        return f"{text} " + _(
            "Others need a second target group, a listener rule and a role: the blueprint's output "
            "“deployments” names them under blue_green and strategies."
        )
    return f"{text} " + _("The blueprint's output “deployments” lists what else it offers under strategies.")


def _options(strategy: str, given: Mapping[str, Any], errors: Errors) -> dict[str, float]:
    known = OPTIONS[strategy]
    unknown = [name for name in given if name not in known]
    if unknown:
        allowed = ", ".join(known) or _("none")
        errors["strategy_options"] = [
            _("%(strategy)s has no option “%(name)s”; it has: %(allowed)s.")
            % {"strategy": Strategy(strategy).label, "name": unknown[0], "allowed": allowed}
        ]
    found: dict[str, float] = {}
    for name, (least, most, default) in known.items():
        value = given.get(name, default)
        if _is_number(value, least, most, whole=name.endswith("minutes")):
            found[name] = value
        else:
            errors[f"strategy_options.{name}"] = [
                _("Use a number from %(least)s to %(most)s.") % {"least": least, "most": most}
            ]
    return found


def _is_number(value: Any, least: float, most: float, *, whole: bool = False) -> bool:
    kinds = int if whole else (int, float)
    return not isinstance(value, bool) and isinstance(value, kinds) and least <= value <= most
