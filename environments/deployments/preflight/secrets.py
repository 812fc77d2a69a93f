"""Are the secrets there that the containers get, and may the execution role read them? Values are never read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.utils.translation import gettext as _

from environments.deployments.preflight.look import Look
from environments.deployments.preflight.rights import judged, verdict
from environments.deployments.preflight.target import Finding, Target, failing, ok
from portal.aws.secrets import CURRENT, Reference, reference

READ_SECRET: Final = ("secretsmanager:GetSecretValue",)
READ_PARAMETER: Final = ("ssm:GetParameters",)


def references(containers: Iterable[dict[str, Any]]) -> dict[str, Reference]:
    """valueFrom -> its parts, of every secret that these containers get, log drivers and registries included."""
    found: dict[str, Reference] = {}
    for container in containers:
        options = (container.get("logConfiguration") or {}).get("secretOptions") or []
        named = [row.get("valueFrom") for row in [*(container.get("secrets") or []), *options]]
        named.append((container.get("repositoryCredentials") or {}).get("credentialsParameter"))
        found |= {str(one): reference(str(one)) for one in named if one}
    return found


def findings(target: Target, look: Look) -> Iterator[Finding]:
    wanted = references(target.containers)
    if not wanted:
        return
    held = [one for one in wanted.values() if one.kind == "secret"]
    parameters = [one for one in wanted.values() if one.kind == "parameter"]
    problems = [text for one in held if (text := _problem(one, look))]
    if parameters:
        known = look.parameters(parameters)
        problems += [
            _("there is no parameter %(name)s") % {"name": one.id}
            for one in parameters
            if one.id not in known
        ]
    if problems:
        yield failing(
            "secrets",
            _("Tasks cannot start: %(problems)s.") % {"problems": "; ".join(dict.fromkeys(problems))},
            _("Create it and give it a value, or correct the reference in the blueprint."),
        )
        return
    yield ok("secrets", _counted(wanted))
    if target.execution_role:
        yield _rights(target.execution_role, held, parameters, look)


def _problem(wanted: Reference, look: Look) -> str:
    secret = look.secret(wanted)
    words = {
        "name": wanted.id.rpartition(":")[2],
        "stage": wanted.stage or CURRENT,
        "version": wanted.version,
    }
    if secret is None:
        return _("there is no secret %(name)s") % words
    if secret.deleted:
        return _("the secret %(name)s is about to be deleted") % words
    if wanted.version and wanted.version not in secret.versions:
        return _("the secret %(name)s has no version %(version)s") % words
    if not wanted.version and not secret.version(wanted.stage or CURRENT):
        return _("the secret %(name)s has no value with the stage %(stage)s") % words
    return ""


def _counted(wanted: dict[str, Reference]) -> str:
    keys = sorted({one.json_key for one in wanted.values() if one.json_key})
    if not keys:
        return _("All %(n)d secrets are there.") % {"n": len(wanted)}
    return _(
        "All %(n)d secrets are there. Whether the keys %(keys)s are in them is not looked at: the portal reads no values."
    ) % {"n": len(wanted), "keys": ", ".join(keys)}


def _rights(role: str, held: list[Reference], parameters: list[Reference], look: Look) -> Finding:
    refused: list[tuple[str, str, bool]] = []
    if held:
        by_arn = {secret.arn: one for one in held if (secret := look.secret(one))}
        decisions = look.decisions(role, READ_SECRET, by_arn)
        refused += judged(decisions, lambda arn: look.secret_has_policy(by_arn[arn]))
        keys = {secret.key for one in held if (secret := look.secret(one)) and secret.key.startswith("arn:")}
        if keys:
            # A key's own policy may allow it as well: never certain from here.
            refused += judged(look.decisions(role, ("kms:Decrypt",), keys), lambda _key: True)
    if parameters:
        arns = [_parameter_arn(one, look) for one in parameters]
        refused += judged(look.decisions(role, READ_PARAMETER, arns), lambda _arn: False)
    return verdict(
        "read_secrets",
        role,
        refused,
        good=_("The execution role may read the secrets."),
        hint=_("Allow these actions on the secrets' ARNs in the role's policy."),
    )


def _parameter_arn(one: Reference, look: Look) -> str:
    if one.account:
        return f"arn:aws:ssm:{one.region}:{one.account}:parameter{one.id}"
    place = f"{look.access.region}:{look.access.account_id}"
    return f"arn:aws:ssm:{place}:parameter/{one.id.lstrip('/')}"
