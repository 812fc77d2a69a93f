"""Import blocks for what an interrupted apply left: written into the plan's folder, insisted on in the plan.

Only what the plan would otherwise create is imported: so an address that this definition (or this run's targets)
does not have is left out, whatever count, for_each or modules it comes from. A destroy imports nothing.
https://developer.hashicorp.com/terraform/language/import
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from environments.changes.kinds import ToolFailure
from environments.changes.models import Change
from environments.runs.leftovers import rows
from environments.runs.models import Mode, TerraformRun
from portal.terraform.plan import Plan

BLOCKS: Final = "gatehouse_imports.tf.json"
# What a proposal's row says in place of Terraform's reason.
REASON: Final = "import"


@dataclass(frozen=True)
class Imports:
    """`marked` is what people said to import (address -> id), `wanted` what of it this plan can."""

    marked: Mapping[str, str] = field(default_factory=dict)
    wanted: Mapping[str, str] = field(default_factory=dict)

    def narrowed(self, plan: Plan | None) -> Imports:
        """With `wanted` as what the plan, made without imports, would create a second time."""
        created = {change.address for change in plan.changes if change.action == "create"} if plan else set()
        return replace(self, wanted={at: name for at, name in self.marked.items() if at in created})

    def sentence(self) -> str:
        """For the log."""
        return _("Planning again with the imports: %(names)s.") % {"names": ", ".join(self.wanted)}

    def as_facts(self) -> dict[str, Any]:
        """What the page and the end of the apply ask."""
        left_out = sorted(set(self.marked) - set(self.wanted))
        return {"imports": dict(self.wanted), "imports_left_out": left_out} if self.marked else {}

    def count(self) -> dict[str, int]:
        return {"import": len(self.wanted)} if self.wanted else {}


def asked_of(record: TerraformRun, *, by: Change) -> Imports:
    """What this run is to import."""
    if record.mode == Mode.DESTROY:
        return Imports()
    environment = record.definition.environment
    rows.note_held(environment, by)
    return Imports(rows.pending(environment))


def write_blocks(root: Path, wanted: Mapping[str, str]) -> None:
    """The import blocks beside the blueprint's own files."""
    # In JSON syntax "id" is a template: a literal ${ or %{ is doubled.
    blocks = [
        {"to": address, "id": name.replace("${", "$${").replace("%{", "%%{")}
        for address, name in sorted(wanted.items())
    ]
    path = root / BLOCKS
    path.touch(mode=0o600)
    path.write_text(json.dumps({"import": blocks}, ensure_ascii=False))


def insist(wanted: Mapping[str, str], plan: Plan | None) -> None:
    """Refuse a plan that would create what it was told to import; raises ToolFailure.

    Terraform skips an import silently when its state still has another resource under the address.
    """
    imported = {change.address for change in plan.changes if change.import_id} if plan else set()
    skipped = sorted(set(wanted) - imported)
    if skipped:
        raise ToolFailure(
            ngettext(
                "Terraform would create %(names)s although it is to be imported: its state still has another "
                "resource under this address.",
                "Terraform would create %(names)s although they are to be imported: its state still has other "
                "resources under these addresses.",
                len(skipped),
            )
            % {"names": rows.names(skipped)},
            _(
                "Take the old resource out of the state first, or dismiss the import on the page of the run that "
                "left it and remove the resource by hand."
            ),
        )
