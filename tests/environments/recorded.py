"""What the audit log says of an act."""

from portal.audit.models import AuditEvent


def outcomes(action: str) -> list[tuple[str, str]]:
    """(who, outcome) of every event of this action, oldest first."""
    return list(AuditEvent.objects.filter(action=action).order_by("pk").values_list("actor_id", "outcome"))


def last(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("pk")
