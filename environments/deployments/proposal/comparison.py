"""What two proposals of one deployment mean differently: service by service, field by field, and what moved beneath."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from environments.changes.kinds import Comparison, Difference
from environments.changes.models import Proposal
from environments.deployments.models import ServiceProposal
from environments.deployments.proposal.difference import Row

# Fields of a service that a page can carry and a person reads.
SHOWN: Final = 25
MOVED: Final = {
    "running": gettext_lazy("%(service)s ran %(then)s, now it runs %(now)s."),
    "deployment": gettext_lazy("%(service)s was deployed anew in between."),
    "terraform": gettext_lazy(
        "Terraform's newest task definition of %(service)s was %(then)s, now it is %(now)s."
    ),
    "declared": gettext_lazy("The blueprint declares %(service)s differently."),
    "secrets": gettext_lazy("A secret of %(service)s has another version."),
    "desired": gettext_lazy("%(service)s was set to %(then)s tasks, now to %(now)s."),
    "minimum": gettext_lazy("The minimum of %(service)s was %(then)s, now it is %(now)s."),
    "maximum": gettext_lazy("The maximum of %(service)s was %(then)s, now it is %(now)s."),
}


def compare(before: Proposal, after: Proposal) -> Comparison:
    """Services whose fields differ between the proposals; in remarks what of AWS is another than it was."""
    old, new = _rows(before), _rows(after)
    rows = [row for name in new for row in _service(name, old.get(name), new[name])]
    counts = {what: sum(row.what == what for row in rows) for what in ("altered", "added", "gone")}
    return Comparison(rows, counts, list(_remarks(before, after, new)))


def _rows(proposal: Proposal) -> dict[str, ServiceProposal]:
    found = ServiceProposal.objects.filter(proposal=proposal).select_related("part")
    return {row.part.service: row for row in found}


def _service(name: str, old: ServiceProposal | None, new: ServiceProposal) -> Iterator[Difference]:
    then, now = _leaves(old.difference if old else []), _leaves(new.difference)
    paths = [path for path in {**now, **then} if then.get(path) != now.get(path)]
    if not paths:
        return
    what = "altered" if then and now else "added" if now else "gone"
    attributes = [
        {
            "path": path,
            "then": then.get(path),
            "now": now.get(path),
            "hidden": _alike(then.get(path), now.get(path)),
        }
        for path in paths[:SHOWN]
    ]
    yield Difference(
        what,
        name,
        "update" if then else "",
        "update" if now else "",
        attributes,
        len(paths) - len(attributes),
    )


def _leaves(rows: list[Row]) -> dict[str, dict[str, Any]]:
    """ "container: path" -> the change of that field, as components/attribute shows it."""
    return {
        f"{row['container'] or _('task')}: {row['path']}": {
            "before": row["before"],
            "after": row["after"],
            "unknown": False,
            "sensitive": row["sensitive"],
            "seal": row["seal"],
        }
        for row in rows
    }


def _alike(then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    """Whether the difference is in a value that is not shown: both look the same."""
    if then is None or now is None:
        return False
    return all(then[name] == now[name] for name in ("before", "after"))


def _remarks(before: Proposal, after: Proposal, rows: Mapping[str, ServiceProposal]) -> Iterator[str]:
    for row in rows.values():
        then = before.base.get("services", {}).get(row.part.service_arn, {})
        now = after.base.get("services", {}).get(row.part.service_arn, {})
        for name, text in MOVED.items():
            if then.get(name) != now.get(name):
                yield str(text) % {
                    "service": row.part.service,
                    "then": _short(then.get(name)),
                    "now": _short(now.get(name)),
                }
    if before.facts.get("mode") != after.facts.get("mode"):
        yield _("The gates judge it as %(now)s, no longer as %(then)s.") % {
            "then": before.facts.get("mode"),
            "now": after.facts.get("mode"),
        }


def _short(value: Any) -> str:
    return str(value).rpartition("/")[2] or _("unknown")
