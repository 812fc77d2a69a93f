"""The app of what the portal manages."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnvironmentsConfig(AppConfig):
    name = "environments"
    verbose_name = _("Environments")

    def ready(self) -> None:
        from environments import wiring

        wiring.register()
