"""The room that knows what can be deployed."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BlueprintsConfig(AppConfig):
    name = "environments.blueprints"
    label = "blueprints"
    verbose_name = _("Blueprints")

    def ready(self) -> None:
        from environments.blueprints import wiring

        wiring.register()
