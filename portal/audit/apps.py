"""The audit app: triggers are put back after every migrate and proved by a system check."""

from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


def _reinstall(using: str, **_kwargs: Any) -> None:
    from django.db import connections

    from portal.audit import triggers

    triggers.install(connections[using])


class AuditConfig(AppConfig):
    name = "portal.audit"
    label = "audit"

    def ready(self) -> None:
        from portal.audit.checks import triggers_are_there

        # A later AlterField rebuilds the table on SQLite, and its triggers are silently gone.
        post_migrate.connect(_reinstall, sender=self, dispatch_uid="audit triggers")
        checks.register(triggers_are_there, checks.Tags.database)
