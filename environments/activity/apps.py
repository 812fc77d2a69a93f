"""The activity room."""

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "environments.activity"
    label = "activity"

    def ready(self) -> None:
        from environments.activity import wiring

        wiring.register()
