"""The state room with something going on: a rollback that waits for votes, a lock by hand, a token handed out."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from environments.changes import execution
from environments.changes.models import Change
from environments.models import Environment
from environments.runs.models import StateVersion
from environments.runs.states.actions import request_rollback
from environments.runs.states.lock_actions import lock_state
from environments.runs.states.token_actions import issue_state_token
from portal.accounts.models import User
from portal.accounts.principals import worker
from tests.cast import by

ADDRESS = 'module.service.module.inner["a-rather-long-key-of-a-module"]'


def _one(name: str, value: str, **more: Any) -> dict[str, Any]:
    attributes = {"id": f"id-{name}", "input": value, "password": f"not to be seen {value}"}
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": name,
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [
            {
                "schema_version": 0,
                "attributes": attributes,
                "sensitive_attributes": [[{"type": "get_attr", "value": "password"}]],
            }
        ],
        **more,
    }


def _keep(place: Environment, number: int, resources: list[dict[str, Any]], **outputs: str) -> None:
    content = json.dumps(
        {
            "version": 4,
            "terraform_version": "1.11.4",
            "serial": number,
            "lineage": "lineage",
            "outputs": {name: {"value": value, "type": "string"} for name, value in outputs.items()},
            "resources": resources,
        }
    ).encode()
    StateVersion.objects.create(
        environment=place,
        number=number,
        lineage="lineage",
        serial=number,
        resource_count=len(resources),
        size=len(content),
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        content=content,
        written_by="Olga Operator (token terraform for triflow-ai.production)",
    )


def furnish(place: Environment, locked: Environment, people: dict[str, User]) -> Change:
    """Versions 3 and 4 of `place`, and a rollback that waits for votes; a lock by hand on `locked`."""
    many = [_one(f"part{n}", "old", module=ADDRESS) for n in range(30)]
    _keep(
        place,
        3,
        [_one("kept", "before"), _one("gone", "x"), _one("moved", "x"), *many],
        url="https://old.example",
    )
    _keep(
        place,
        4,
        [
            _one("kept", "after"),
            _one("moved_to_another_address", "x") | {"instances": _one("moved", "x")["instances"]},
            _one("fresh", "y"),
            *many[:25],
        ],
        url="https://new.example",
    )
    change = request_rollback(
        by=by(people["operator"]),
        environment=place,
        number=3,
        reason="The move was a mistake.\nSee OPS-4711.",
    )
    execution.advance(str(change.uuid), by=worker("test worker"))
    lock_state(
        by=by(people["operator"]),
        environment=locked,
        reason="Moving the database to the other subnet by hand",
    )
    issue_state_token(
        by=by(people["admin"]),
        environment=place,
        person=people["operator"],
        hours=8,
        reason="Repair of the state",
    )
    return change
