"""The deployments room."""

from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "environments.deployments"
    label = "deployments"

    def ready(self) -> None:
        from environments.deployments import wiring

        wiring.register()
