"""State documents and versions without Terraform: what a test of the state room starts from."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from environments.models import Environment
from environments.runs.models import StateVersion
from portal.terraform.state import read_state
from tests.portal.terraform.documents import instance, resource

LINEAGE = "0d5a2b0e-0000-4000-8000-000000000001"
OTHER_LINEAGE = "0d5a2b0e-0000-4000-8000-000000000002"
SECRET = "not for anybody's eyes 4711"


def thing(name: str, value: str = "one", **more: Any) -> dict[str, Any]:
    """A terraform_data of this name; its `note` is marked sensitive."""
    attributes = {"id": f"id-{name}", "input": value, "note": SECRET}
    marks = [[{"type": "get_attr", "value": "note"}]]
    return resource("terraform_data", name, instance(attributes, sensitive_attributes=marks), **more)


def body(*things: dict[str, Any], serial: int = 1, lineage: str = LINEAGE, **more: Any) -> bytes:
    document = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": serial,
        "lineage": lineage,
        "outputs": {},
        "resources": list(things),
        **more,
    }
    return json.dumps(document).encode()


def keep(environment: Environment, *things: dict[str, Any], **more: Any) -> StateVersion:
    """The next version of the environment's state, as if a run had written it."""
    number = StateVersion.objects.filter(environment=environment).count() + 1
    content = body(*things, **{"serial": number, **more})
    state = read_state(content)
    return StateVersion.objects.create(
        environment=environment,
        number=number,
        lineage=state.lineage,
        serial=state.serial,
        terraform_version=state.terraform_version,
        resource_count=state.resource_count,
        size=len(content),
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        content=content,
        written_by="a run",
    )
