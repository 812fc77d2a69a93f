"""The propose phase of a Terraform run: init, plan, show; the result as a draft proposal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from environments.blueprints import snapshots
from environments.blueprints.collecting import LOCK_FILE
from environments.changes.kinds import Draft, ToolFailure
from environments.changes.models import Artefact, Proposal
from environments.changes.work import Work
from environments.models import Definition
from environments.runs import bases, credentials, known_secrets, titles
from environments.runs.commands import Listener, run
from environments.runs.leftovers import imports
from environments.runs.leftovers.imports import Imports
from environments.runs.models import Mode, ResourceChange, TerraformRun
from environments.runs.states import store
from environments.runs.workspace import ARCHIVE, PLAN_FILE, Workspace, pack, unpack_definition, workspace
from portal.core.canonical import digest
from portal.terraform.digests import ProposalContext, proposal_digest
from portal.terraform.effects import EFFECTS
from portal.terraform.options import init_options, plan_options, show_options
from portal.terraform.plan import Plan, read_plan
from portal.terraform.plan_facts import PlanFacts, plan_facts
from portal.terraform.seals import output_seal, seals

RANKS = {"delete": 0, "replace": 1, "forget": 2, "update": 3, "move": 4, "import": 5, "create": 6, "read": 9}
KIND = "terraform_run"
# The state may move while a plan reads it; then the plan is made again.
ATTEMPTS = 3


def propose(work: Work) -> Draft:
    """Plan the run's definition and say what would happen. Alters nothing."""
    record = work.change.terraform_run
    definition = record.definition
    credential = credentials.issue(work.change, fence=work.fence, may_write=False)
    try:
        for _attempt in range(ATTEMPTS):
            with workspace(work.change, definition, credential, name=f"plan-{work.fence}") as made:
                work.log.redactor.add(made.secrets)
                work.log.redactor.add(known_secrets.of_version(store.current(definition.environment)))
                before = store.position(definition.environment)
                draft = _plan(work, made, record, before)
                if draft is not None:
                    return draft
                work.say(_("The state moved while the plan was made; planning again."))
    finally:
        credentials.revoke(work.change, fence=work.fence)
    raise ToolFailure(
        _("The state kept moving while the plan was made."), _("Try again when other runs have ended.")
    )


def _plan(work: Work, made: Workspace, record: TerraformRun, before: dict[str, Any]) -> Draft | None:
    definition = record.definition
    unpack_definition(made, definition)
    initialise(work, made, definition)
    asked = imports.asked_of(record, by=work.change)
    plan = _made_plan(work, made, record)
    if asked.marked:
        asked = asked.narrowed(plan)
        if asked.wanted:
            work.say(asked.sentence())
            imports.write_blocks(made.root, asked.wanted)
            plan = _made_plan(work, made, record)
            imports.insist(asked.wanted, plan)
    if store.position(definition.environment) != before:
        return None
    if plan is not None and record.mode == Mode.DESTROY:
        refuse_protected(plan)
    record.terraform_version = made.installation.version
    with work.fenced():
        record.save(update_fields=["terraform_version", "timings"])
    if plan is None or plan.is_empty:
        return _nothing_to_do(record, before, asked)
    return _draft(record, made, plan, before, asked)


def _made_plan(work: Work, made: Workspace, record: TerraformRun) -> Plan | None:
    """Run the plan into the work folder; None when it alters nothing."""
    listener = Listener(work)
    options = plan_options(
        PLAN_FILE,
        destroy=record.mode == Mode.DESTROY,
        targets=record.targets,
        replace=record.replace,
        # No lock: a plan alters nothing, and whether the state moved is checked below and before the apply.
        lock=False,
    )
    code = run(work, made, "plan", options=options, listener=listener)
    if code not in (0, 2):
        raise listener.failure(_("The plan failed."))
    return _show(work, made) if code == 2 else None


def initialise(work: Work, made: Workspace, definition: Definition) -> None:
    """`terraform init` with this installation's lock file, which the first init of a snapshot makes."""
    snapshot = snapshots.snapshot_of(definition.snapshot)
    platform = made.installation.platform
    lock_path = made.root / LOCK_FILE
    known = snapshots.lock_for(snapshot, platform) is not None
    if not known and not lock_path.exists():
        # Start from the providers of the blueprint's last snapshot instead of whatever is newest.
        earlier = snapshots.earlier_lock(snapshot, platform)
        if earlier:
            lock_path.write_text(earlier)
    listener = Listener(work)
    code = run(work, made, "init", options=init_options(lock_file_readonly=known), listener=listener)
    if code != 0:
        raise listener.failure(_("Terraform could not be initialised."))
    if not known and lock_path.exists():
        snapshots.with_lock_file(snapshot, lock_path.read_bytes(), platform=platform)


def _show(work: Work, made: Workspace) -> Plan:
    listener = Listener(work, quiet=True)
    code = run(work, made, "show", PLAN_FILE, options=show_options(), listener=listener, log_name="plan.json")
    if code != 0:
        raise listener.failure(_("The saved plan could not be read."))
    plan = read_plan(made.folder / "plan.json", known=made.secrets)
    made.secrets += plan.secrets
    work.log.redactor.add(plan.secrets)
    return plan


# Attribute that makes AWS refuse a deletion, by type.
PROTECTIONS = {
    "aws_db_instance": "deletion_protection",
    "aws_rds_cluster": "deletion_protection",
    "aws_lb": "enable_deletion_protection",
    "aws_dynamodb_table": "deletion_protection_enabled",
}


def refuse_protected(plan: Plan) -> None:
    """A destroy that AWS would refuse halfway is refused before it begins; raises ToolFailure."""
    guarded = [
        change.address
        for change in plan.changes
        if change.action == "delete" and (change.before or {}).get(PROTECTIONS.get(change.type, "")) is True
    ]
    if guarded:
        raise ToolFailure(
            _("Deletion protection is on, so AWS would stop the destroy halfway: %(names)s.")
            % {"names": ", ".join(guarded)},
            _("Switch it off in the definition, apply that, then request the destroy again."),
        )


def _context(record: TerraformRun) -> ProposalContext:
    definition = record.definition
    environment = definition.environment
    return ProposalContext(
        kind=KIND,
        mode=record.mode,
        definition_number=definition.number,
        definition_digest=bases.definition_digest(definition),
        blueprint_digest=definition.snapshot,
        account_id=bases.account_name(environment),
        region=environment.region,
        targets=record.targets,
        replace=record.replace,
    )


def _nothing_to_do(record: TerraformRun, before: dict[str, Any], asked: Imports) -> Draft:
    context = _context(record)
    return Draft(
        digest=digest({"kind": KIND, "empty": True, "definition": context.definition_digest, **before}),
        facts={"kind": KIND, "mode": record.mode, "counts": {}, **asked.as_facts()},
        base=bases.base_of(record, before, asked.marked),
        summary=_("No changes: what is there matches the definition."),
        empty=True,
        plan_only=record.mode == Mode.PLAN,
    )


def _draft(
    record: TerraformRun, made: Workspace, plan: Plan, before: dict[str, Any], imported: Imports
) -> Draft:
    facts = plan_facts(plan)
    plan_sha256 = hashlib.sha256(made.plan_file.read_bytes()).hexdigest()
    archive = pack(made) if record.mode != Mode.PLAN else b""
    counts: dict[str, int] = {name: number for name, number in plan.counts.items() if name != "no-op"}
    asked = {**as_facts(record, facts, counts, plan), **imported.as_facts()}

    def keep(proposal: Proposal) -> None:
        if archive:
            Artefact.objects.create(
                change=record.change, proposal=proposal, name=ARCHIVE, sha256=plan_sha256, content=archive
            )
        _store_rows(proposal, plan)

    return Draft(
        digest=proposal_digest(plan, _context(record), hmac=bases.sealed),
        facts=asked,
        base=bases.base_of(record, before, imported.marked, plan_sha256=plan_sha256, folder=archive),
        summary=titles.counts_text({**counts, **imported.count()}, outputs=len(plan.outputs)),
        plan_only=record.mode == Mode.PLAN,
        title=titles.title(record, plan),
        keep=keep,
    )


def as_facts(record: TerraformRun, facts: PlanFacts, counts: Mapping[str, int], plan: Plan) -> dict[str, Any]:
    """What gates and pages ask: lists of addresses, empty for no; consequences in words."""
    effects: dict[str, list[str]] = {}
    for change in plan.changes:
        for effect in change.effects:
            effects.setdefault(effect, []).append(change.address)
    return {
        "kind": KIND,
        "mode": record.mode,
        "counts": dict(counts),
        "destroys": [*facts.destroys, *facts.replaces],
        "replaces": list(facts.replaces),
        "touches_iam": list(facts.touches_iam),
        "touches_network": list(facts.touches_network),
        "stateful_destroys": list(facts.stateful_destroys),
        "effects": {name: effects[name] for name in EFFECTS if name in effects},
        "outputs": [
            {
                "name": out.name,
                "action": out.action,
                "before": out.before,
                "after": out.after,
                "unknown": out.unknown,
                "sensitive": out.sensitive,
                "seal": output_seal(out, hmac=bases.sealed),
            }
            for out in plan.outputs
        ],
        "skip_final_snapshot": record.skip_final_snapshot,
        "complete": plan.complete and not record.targets,
    }


def _store_rows(proposal: Proposal, plan: Plan) -> None:
    rows: Sequence[ResourceChange] = [
        ResourceChange(
            proposal=proposal,
            rank=RANKS.get(change.action, 8),
            position=position,
            address=change.address,
            module=change.module,
            type=change.type,
            name=change.name,
            action=change.action,
            reason=change.reason or (imports.REASON if change.import_id else ""),
            effects=list(change.effects),
            replace_paths=list(change.replace_paths),
            detail=[
                {
                    "path": one.path,
                    "kind": one.kind,
                    "before": one.before,
                    "after": one.after,
                    "unknown": one.unknown,
                    "sensitive": one.sensitive,
                    "sensitive_changed": one.sensitive_changed,
                    "forces_replacement": one.forces_replacement,
                    # What stands in for values that are not shown, so that two proposals can be compared.
                    **({"seal": list(seal)} if seal else {}),
                }
                for one, seal in zip(change.attributes, seals(change, hmac=bases.sealed), strict=True)
            ],
        )
        for position, change in enumerate(plan.changes)
    ]
    ResourceChange.objects.bulk_create(rows, batch_size=200)
