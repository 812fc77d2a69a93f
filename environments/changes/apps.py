"""The changes room."""

from django.apps import AppConfig


class ChangesConfig(AppConfig):
    name = "environments.changes"
    label = "changes"

    def ready(self) -> None:
        from environments.changes import wiring

        wiring.register()
