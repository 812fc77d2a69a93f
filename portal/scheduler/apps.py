"""What happens by itself: periodic functions, their due times, and who is alive to run them."""

from django.apps import AppConfig


class SchedulerConfig(AppConfig):
    name = "portal.scheduler"
    label = "scheduler"

    def ready(self) -> None:
        from portal.scheduler import housekeeping  # noqa: F401
