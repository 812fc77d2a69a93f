"""The project itself as an app: the wiring that every process needs, whichever way it was started."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    label = "portal"

    def ready(self) -> None:
        # The Celery app must exist before anything is sent, in the web process as much as in a worker.
        from portal import celery, checks, periodics

        self.celery = celery.app
        self.checks = checks
        periodics.register()
