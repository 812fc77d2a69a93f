"""A run as a sentence: "Replace database of TriFlow AI production" rather than "Run #123"."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from environments.runs.models import Mode, TerraformRun
from portal.terraform.plan import Plan

NOUNS = {
    "aws_db_instance": gettext_lazy("database"),
    "aws_elasticache_replication_group": gettext_lazy("cache"),
    "aws_ecs_service": gettext_lazy("ECS service"),
    "aws_ecs_task_definition": gettext_lazy("task definition"),
    "aws_lb": gettext_lazy("load balancer"),
    "aws_s3_bucket": gettext_lazy("bucket"),
    "aws_cloudwatch_metric_alarm": gettext_lazy("alarm"),
}
VERBS = {
    "create": gettext_lazy("Create"),
    "update": gettext_lazy("Change"),
    "replace": gettext_lazy("Replace"),
    "delete": gettext_lazy("Destroy"),
    "forget": gettext_lazy("Forget"),
    "import": gettext_lazy("Import"),
    "move": gettext_lazy("Move"),
}
ORDER = ("delete", "replace", "forget", "update", "create", "import", "move")


def requested(record_mode: str, environment: object, number: int) -> str:
    """The title until the plan says more."""
    texts = {
        Mode.PLAN: _("Plan definition %(n)s of %(environment)s"),
        Mode.APPLY: _("Apply definition %(n)s to %(environment)s"),
        Mode.DESTROY: _("Destroy everything in %(environment)s"),
    }
    return texts[Mode(record_mode)] % {"n": number, "environment": environment}


def counts_text(counts: Mapping[str, int], *, outputs: int = 0) -> str:
    """“3 to create, 1 to replace”; destruction first."""
    texts = {
        "delete": _("%(n)s to destroy"),
        "replace": _("%(n)s to replace"),
        "forget": _("%(n)s to forget"),
        "update": _("%(n)s to change"),
        "create": _("%(n)s to create"),
        "import": _("%(n)s to import"),
        "move": _("%(n)s to move"),
    }
    parts = [texts[name] % {"n": counts[name]} for name in ORDER if counts.get(name)]
    if not parts and outputs:
        parts = [ngettext("%(n)s output changes", "%(n)s outputs change", outputs) % {"n": outputs}]
    return ", ".join(parts) or _("nothing to alter")


def title(record: TerraformRun, plan: Plan) -> str:
    """What the plan does, worst first, in one sentence."""
    environment = record.definition.environment
    if record.mode == Mode.PLAN:
        return requested(record.mode, environment, record.definition.number)
    changes = [change for change in plan.changes if change.action in ORDER]
    if record.mode == Mode.DESTROY and not record.targets:
        return _("Destroy everything in %(environment)s") % {"environment": environment}
    changes.sort(key=lambda change: ORDER.index(change.action))
    if not changes:
        return _("Update outputs of %(environment)s") % {"environment": environment}
    worst = [change for change in changes if change.action == changes[0].action]
    verb = VERBS[changes[0].action]
    known = next((change for change in worst if change.type in NOUNS), worst[0])
    if len(worst) == 1 or (known.type in NOUNS and changes[0].action in {"delete", "replace"}):
        what = NOUNS.get(known.type, known.address)
        rest = len(changes) - 1
    else:
        what = ngettext("%(n)s resource", "%(n)s resources", len(worst)) % {"n": len(worst)}
        rest = len(changes) - len(worst)
    sentence = _("%(verb)s %(what)s in %(environment)s") % {
        "verb": verb,
        "what": what,
        "environment": environment,
    }
    return sentence + (_(", and %(n)s more") % {"n": rest} if rest else "")
