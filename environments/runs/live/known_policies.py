"""Policies on roles, users and groups: every way in which a state may say that one carries another."""

from __future__ import annotations

from typing import Final

from environments.runs.live.found import Landscape, Managed

KINDS: Final = {"aws_iam_role": "role", "aws_iam_user": "user", "aws_iam_group": "group"}
# (kind, principal, ARN or "inline:NAME")
Grip = tuple[str, str, str]


def known_of(landscape: Landscape) -> frozenset[Grip]:
    """Every policy on every principal that a state stands for."""
    found: set[Grip] = set()
    for kind in KINDS.values():
        for one in landscape.everywhere(f"aws_iam_{kind}_policy_attachment"):
            found.add((kind, _text(one, kind), _text(one, "policy_arn")))
        for one in landscape.everywhere(f"aws_iam_{kind}_policy"):
            found.add((kind, _text(one, kind), f"inline:{_text(one, 'name')}"))
        for one in landscape.everywhere(f"aws_iam_{kind}_policies_exclusive"):
            found |= {
                (kind, _text(one, f"{kind}_name"), f"inline:{name}") for name in _all(one, "policy_names")
            }
        for one in landscape.everywhere(f"aws_iam_{kind}_policy_attachments_exclusive"):
            found |= {(kind, _text(one, f"{kind}_name"), arn) for arn in _all(one, "policy_arns")}
        for one in landscape.everywhere("aws_iam_policy_attachment"):
            found |= {(kind, name, _text(one, "policy_arn")) for name in _all(one, f"{kind}s")}
    for role in landscape.of("aws_iam_role"):
        name = _text(role, "name")
        if landscape.configured(role, "managed_policy_arns", unknown=False):
            found |= {("role", name, arn) for arn in _all(role, "managed_policy_arns")}
        if landscape.configured(role, "inline_policy", unknown=False):
            inline = role.values.get("inline_policy") or []
            found |= {("role", name, f"inline:{one.get('name')}") for one in inline}
    return frozenset(found)


def _text(resource: Managed, name: str) -> str:
    return str(resource.values.get(name) or "")


def _all(resource: Managed, name: str) -> list[str]:
    return [str(one) for one in resource.values.get(name) or []]
