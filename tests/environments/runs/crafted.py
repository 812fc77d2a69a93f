"""Runs with a proposal of any size, straight in the database: for pages that need no Terraform."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction

from environments.changes import actions as changes
from environments.changes.lifecycle import Status
from environments.changes.models import Artefact, Change, Proposal
from environments.models import Definition, Environment
from environments.runs import planning
from environments.runs.models import ResourceChange, TerraformRun
from portal.accounts.models import User
from tests.cast import by


def defined(environment: Environment, author: User, number: int = 1) -> Definition:
    return Definition.objects.create(
        environment=environment, number=number, blueprint="steps", snapshot="0" * 64, author=author
    )


def row(address: str, action: str, **detail: Any) -> dict[str, Any]:
    """What a proposal does to one resource; `detail` are attributes after, by path."""
    return {"address": address, "action": action, "detail": detail}


def planned(environment: Environment, user: User, rows: list[dict[str, Any]], **run: Any) -> Change:
    """A change that awaits approval of these rows."""
    definition = run.pop("definition", None) or environment.latest_definition or defined(environment, user)
    with transaction.atomic():
        change = changes.request(by=by(user), environment=environment, kind=planning.KIND, title="Run it")
    TerraformRun.objects.create(change=change, definition=definition, **{"mode": "apply", **run})
    propose(change, rows)
    return change


def propose(change: Change, rows: list[dict[str, Any]]) -> Proposal:
    """The next proposal of the change, awaiting approval."""
    number = change.proposals.count() + 1
    counts: dict[str, int] = {}
    for one in rows:
        counts[one["action"]] = counts.get(one["action"], 0) + 1
    facts = {"kind": planning.KIND, "mode": change.terraform_run.mode, "counts": counts, "effects": {}}
    proposal = Proposal.objects.create(
        change=change, number=number, digest=f"{number:064d}", facts=facts, base={}, summary=str(counts)
    )
    ResourceChange.objects.bulk_create(
        ResourceChange(
            proposal=proposal,
            rank=planning.RANKS[one["action"]],
            position=position,
            address=one["address"],
            module=one["address"].rpartition(".")[0].rpartition(".")[0],
            type=one["address"].split(".")[-2],
            name=one["address"].split(".")[-1],
            action=one["action"],
            detail=[
                {
                    "path": path,
                    "kind": "changed",
                    "before": "old",
                    "after": after,
                    "unknown": False,
                    "sensitive": False,
                    "sensitive_changed": False,
                    "forces_replacement": False,
                }
                for path, after in one["detail"].items()
            ],
        )
        for position, one in enumerate(rows)
    )
    Artefact.objects.create(change=change, proposal=proposal, name="plan-folder", sha256="0", content=b"{}\n")
    change.status, change.proposal = Status.AWAITING_APPROVAL, proposal
    change.save(update_fields=["status", "proposal"])
    return proposal


def state_document(*, serial: int, lineage: str = "one", addresses: tuple[str, ...] = ()) -> bytes:
    """A state as Terraform writes it, with one built-in resource for each name."""
    return json.dumps(
        {
            "version": 4,
            "terraform_version": "1.11.4",
            "serial": serial,
            "lineage": lineage,
            "outputs": {},
            "resources": [
                {
                    "mode": "managed",
                    "type": "terraform_data",
                    "name": name,
                    "provider": 'provider["terraform.io/builtin/terraform"]',
                    "instances": [{"schema_version": 0, "attributes": {"id": f"id-{name}"}}],
                }
                for name in addresses
            ],
        }
    ).encode()
