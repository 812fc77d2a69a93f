"""The embedded default's message broker: files in a folder, no server.

Why an own one, and its measures: docs/decisions/0001-embedded-broker.md.
"""

from kombu.transport import TRANSPORT_ALIASES


def register() -> None:
    """Teach kombu the scheme `portalfs`. Call it before a Celery app or a connection is made."""
    TRANSPORT_ALIASES["portalfs"] = "portal.broker.transport:Transport"
