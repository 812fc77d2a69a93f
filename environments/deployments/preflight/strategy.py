"""Is everything there that ECS needs to move traffic between two target groups?"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from environments.deployments.declarations import BlueGreen
from environments.deployments.preflight.look import Look
from environments.deployments.preflight.target import Finding, Target, failing, ok

SERVICE = "ecs.amazonaws.com"


def findings(target: Target, look: Look) -> Iterator[Finding]:
    declared = target.service.declaration.blue_green
    if target.strategy == "rolling" or target.act == "scale":
        return
    if target.strategy not in target.service.declaration.strategies or declared is None:
        yield failing(
            "strategy",
            _("The blueprint does not offer %(strategy)s for this service.") % {"strategy": target.strategy},
            _("Deploy it rolling, or declare `blue_green` and `strategies` in the output `deployments`."),
        )
        return
    problems = [*_missing(declared, look), *_role(declared, look)]
    if problems:
        yield failing(
            "strategy",
            _("Traffic cannot be moved: %(problems)s.") % {"problems": "; ".join(problems)},
            _("Run Terraform, which makes what is missing."),
        )
    else:
        yield ok("strategy", _("Target groups, listener rule and role are there."))


def _missing(declared: BlueGreen, look: Look) -> Iterator[str]:
    wanted = [declared.production_listener_rule_arn]
    wanted += [declared.test_listener_rule_arn] if declared.test_listener_rule_arn else []
    rules = look.listener_rules(wanted)
    groups = [declared.target_group_arn, declared.alternate_target_group_arn]
    there = look.target_groups(groups)
    yield from (_("there is no listener rule %(arn)s") % {"arn": arn} for arn in wanted if arn not in rules)
    yield from (_("there is no target group %(arn)s") % {"arn": arn} for arn in groups if arn not in there)
    forwards = rules.get(declared.production_listener_rule_arn)
    if forwards is not None and not forwards & set(groups):
        yield _("the production listener rule forwards to neither of the two target groups")


def _role(declared: BlueGreen, look: Look) -> Iterator[str]:
    trusted = look.trusted_services(declared.role_arn)
    if trusted is None:
        yield _("there is no role %(arn)s") % {"arn": declared.role_arn}
    elif not {SERVICE, "*"} & trusted:
        yield _("ECS may not assume the role %(arn)s") % {"arn": declared.role_arn}
