"""The Celery app. Messages carry only ids: the row is the job, a lost or doubled message costs seconds.

Three queues, so that drift checks and notifications never delay a change, and a long Terraform run never
the look at a rollout: `changes` and `deployments` (move changes on) and `housekeeping` (everything else).
Each has a worker process of its own.
"""

import os
from typing import Any

from celery import Celery, bootsteps
from kombu.entity import Exchange, Queue

from portal.broker import register

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
register()

QUEUES = ("changes", "deployments", "housekeeping")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    # An exchange and a key for each: left out, Celery binds every queue to the default queue's.
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],  # type: ignore[no-untyped-call]
    task_default_queue="housekeeping",
    task_default_exchange="housekeeping",
    task_default_routing_key="housekeeping",
    task_routes={"changes.*": {"queue": "changes"}},
)
app.autodiscover_tasks()


class WorkerHeartbeat(bootsteps.StartStopStep):  # type: ignore[misc]
    """Says in the database, while this worker is connected and consuming, that it lives."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self.timer_entry: Any = None

    def start(self, consumer: Any) -> None:
        # Imported here: models need a set-up Django, and this module is imported while it is set up.
        from portal.scheduler.workers import WorkerPulse

        self.pulse = WorkerPulse(queues=sorted(consumer.app.amqp.queues.consume_from))
        self.pulse.beat()
        self.timer_entry = consumer.timer.call_repeatedly(self.pulse.seconds, self.pulse.beat)

    def stop(self, consumer: Any) -> None:
        if self.timer_entry is not None:
            self.timer_entry.cancel()
            self.timer_entry = None
            self.pulse.end()

    shutdown = stop


app.steps["consumer"].add(WorkerHeartbeat)
