"""An app of the tests: tables to try the foundation's fields and queries on."""

from django.apps import AppConfig


class CoreTestsConfig(AppConfig):
    name = "tests.portal.core"
    label = "core_tests"
    default_auto_field = "django.db.models.BigAutoField"
