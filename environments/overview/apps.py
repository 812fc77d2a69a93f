"""The overview room."""

from django.apps import AppConfig


class OverviewConfig(AppConfig):
    name = "environments.overview"
    label = "overview"

    def ready(self) -> None:
        from environments.overview import wiring

        wiring.register()
