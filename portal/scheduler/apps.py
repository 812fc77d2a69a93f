"""What happens by itself: periodic functions, their due times, and who is alive to run them."""

from django.apps import AppConfig


class SchedulerConfig(AppConfig):
    name = "portal.scheduler"
    label = "scheduler"

    def ready(self) -> None:
        # Makes `portal.celery.app` the app of every `shared_task`, in web processes as in workers.
        from portal import celery  # noqa: F401
        from portal.scheduler import housekeeping  # noqa: F401
