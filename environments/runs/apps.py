"""The runs room."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "environments.runs"
    label = "runs"

    def ready(self) -> None:
        from environments.runs import wiring

        wiring.register()
