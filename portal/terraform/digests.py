"""The digest of a proposal: equal for equal proposals, however often they are planned; different for any
other.

Left out on purpose, because they differ between identical plans: the plan file's bytes, timestamps, the
order of `relevant_attributes`, and every attribute that stays as it is (a database's latest restorable
time moves on by itself). Measured on Terraform 1.11.4.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.core.canonical import canonical_json, digest
from portal.terraform.differences import ABSENT, RawChange
from portal.terraform.documents import any_mark, child
from portal.terraform.plan import OutputChange, Plan, ResourceChange
from portal.terraform.secrets import SecretMatcher, is_number
from portal.terraform.unmarked import reveals

Hmac = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class ProposalContext:
    """What a Terraform proposal means besides the plan. Ids and digests as text; lists in any order."""

    kind: str
    mode: str
    definition_number: int
    definition_digest: str
    blueprint_digest: str
    account_id: str
    region: str
    targets: Sequence[str] = ()
    replace: Sequence[str] = ()


def proposal_digest(plan: Plan, context: ProposalContext, *, hmac: Hmac) -> str:
    """SHA-256 in hex of the proposal's canonical content. `hmac` turns the bytes of a secret into a keyed
    digest.
    """
    return digest(proposal_content(plan, context, hmac=hmac))


def proposal_content(plan: Plan, context: ProposalContext, *, hmac: Hmac) -> dict[str, Any]:
    """The canonical content, as JSON values: what the digest is of, fit to be stored (secrets are keyed
    digests).
    """
    seal = _Seal(hmac, SecretMatcher(plan.secrets))
    return {
        "version": 1,
        "kind": context.kind,
        "mode": context.mode,
        "targets": sorted(context.targets),
        "replace": sorted(context.replace),
        "definition": {"number": context.definition_number, "digest": context.definition_digest},
        "blueprint": context.blueprint_digest,
        "account": context.account_id,
        "region": context.region,
        "resources": [
            _resource(change, seal)
            for change in sorted(plan.changes, key=lambda one: (one.address, one.deposed))
        ],
        "outputs": [_output(change, seal) for change in sorted(plan.outputs, key=lambda one: one.name)],
    }


class _Seal:
    """Values as they enter the content: secrets keyed, the unknown as a mark that no value can imitate."""

    def __init__(self, hmac: Hmac, matcher: SecretMatcher) -> None:
        self._hmac = hmac
        self._matcher = matcher

    def value(self, value: Any, marks: Any) -> Any:
        if value is ABSENT or value is None:
            return None
        if marks is True or self._is_secret(value):
            return {"sensitive": self._hmac(canonical_json(value))}
        if isinstance(value, dict):
            return {"map": {key: self.value(part, child(marks, key)) for key, part in value.items()}}
        if isinstance(value, list):
            return {"list": [self.value(part, child(marks, index)) for index, part in enumerate(value)]}
        return {"value": value}

    def _is_secret(self, value: Any) -> bool:
        if isinstance(value, str):
            return self._matcher.holds_secret(value) or reveals(value)
        return is_number(value) and self._matcher.holds_secret(json.dumps(value))


def _resource(change: ResourceChange, seal: _Seal) -> dict[str, Any]:
    content: dict[str, Any] = {
        "address": change.address,
        "deposed": change.deposed,
        "previous_address": change.previous_address,
        "import": change.import_id,
        "mode": change.mode,
        "type": change.type,
        "provider": change.provider,
        "action": change.action,
        "order": change.order,
        "replace_paths": sorted(change.replace_paths),
    }
    if change.action in ("delete", "forget"):
        # Which object goes is what counts; its other attributes may move on by themselves while people
        # decide.
        before = change.before or {}
        content["identity"] = {key: seal.value(before.get(key), None) for key in ("id", "arn")}
    else:
        content["changes"] = [_leaf(raw, seal) for raw in change.raw]
    return content


def _output(change: OutputChange, seal: _Seal) -> dict[str, Any]:
    return {
        "name": change.name,
        "action": change.action,
        "sensitive": change.sensitive,
        "changes": [_leaf(raw, seal) for raw in change.raw],
    }


def _leaf(raw: RawChange, seal: _Seal) -> dict[str, Any]:
    leaf: dict[str, Any] = {
        "path": list(raw.steps),
        "sensitive": [any_mark(raw.marks.before), any_mark(raw.marks.after)],
    }
    if raw.unknown:
        # The present value is left out as well: it is being replaced, and computed ones move on by
        # themselves.
        leaf["unknown"] = True
    else:
        leaf["before"] = seal.value(raw.before, raw.marks.before)
        leaf["after"] = seal.value(raw.after, raw.marks.after)
    return leaf
