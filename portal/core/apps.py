"""The foundation app: no models, no knowledge of any other app of ours."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "portal.core"
    label = "core"
