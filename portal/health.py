"""/healthz (this process answers) and /readyz (everything a change needs is there)."""

import time
from collections.abc import Callable
from typing import Any

from celery import current_app
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from portal.accounts.access import public
from portal.celery import QUEUES
from portal.core.clock import now
from portal.scheduler.heartbeats import FRESH_SECONDS
from portal.scheduler.models import Heartbeat

Result = dict[str, Any]
# Anybody may ask, so the broker is not written to more often than this.
PROBE_SECONDS = 2.0
PROBE_QUEUE = "gatehouse.probe"
_last_probe: tuple[float, Result] | None = None


@public
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while this process answers at all."""
    return JsonResponse({"status": "ok"})


@public
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker, scheduler and workers are all well, else 503 and what is not."""
    checks = {"database": _guarded(_database)}
    if checks["database"]["ok"]:
        checks |= {"scheduler": _guarded(_scheduler), "worker": _guarded(_workers)}
    else:
        unknown = {"ok": False, "message": "Unknown: heartbeats are in the database."}
        checks |= {"scheduler": unknown, "worker": unknown}
    checks["broker"] = _broker()
    ready = all(check["ok"] for check in checks.values())
    answer = JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503
    )
    # "Not yet" is an answer, not an error of this process: no log line for each of the launcher's questions.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


def _guarded(check: Callable[[], Result]) -> Result:
    """What the check says; a failure by its kind only, because anybody may read this."""
    started = time.monotonic()
    try:
        result = check()
    except Exception as error:  # noqa: BLE001 - whatever is wrong, the answer is that it is
        result = {"ok": False, "message": f"Does not answer ({type(error).__name__})."}
    return {**result, "milliseconds": round((time.monotonic() - started) * 1000, 1)}


def _database() -> Result:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
        migrated = cursor.fetchone() is not None
    message = "" if migrated else "There are no tables: run manage.py migrate."
    return {"ok": migrated, "vendor": connection.vendor, "message": message}


def _broker() -> Result:
    """The last write probe, repeated when it is older than PROBE_SECONDS."""
    global _last_probe
    if _last_probe is None or time.monotonic() - _last_probe[0] > PROBE_SECONDS:
        _last_probe = (time.monotonic(), _guarded(_write_and_read_back))
    return _last_probe[1]


def _write_and_read_back() -> Result:
    """Put a message into a queue of its own and take it out again (SQS: connect only, queues cost money)."""
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=3)
        kind = str(broker.transport.driver_type)
        if kind == "sqs":
            return {"ok": True, "kind": kind, "message": "Connected; not written to."}
        with broker.SimpleQueue(PROBE_QUEUE, no_ack=True) as queue:
            queue.put({"at": time.time()}, delivery_mode=1, expiration=10)
            # Another process may have taken ours; then its own is still there for somebody.
            message = queue.get(timeout=3)
    if message is None:
        raise OperationalError("the probe did not come back")
    return {"ok": True, "kind": kind, "message": ""}


def _scheduler() -> Result:
    rows = list(Heartbeat.objects.fresh(Heartbeat.Kind.SCHEDULER, seconds=FRESH_SECONDS).order_by("-at"))
    leading = [row for row in rows if row.detail.get("leading")]
    message = "" if leading else f"No scheduler has reported within {FRESH_SECONDS:.0f} s."
    return {"ok": bool(leading), "message": message, "schedulers": [_row(row) for row in rows]}


def _workers() -> Result:
    rows = list(Heartbeat.objects.fresh(Heartbeat.Kind.WORKER, seconds=FRESH_SECONDS).order_by("-at"))
    served = {queue for row in rows for queue in row.detail.get("queues", [])}
    missing = [queue for queue in QUEUES if queue not in served]
    versions = [
        row.detail["terraform_version"]
        for row in rows
        if "changes" in row.detail.get("queues", []) and row.detail.get("terraform_version")
    ]
    message = ""
    if missing:
        message = f"No worker has reported within {FRESH_SECONDS:.0f} s for: {', '.join(missing)}."
    elif not versions:
        message = "No worker found a Terraform binary."
    return {
        "ok": not message,
        "message": message,
        "terraform_version": versions[0] if versions else None,
        "workers": [_row(row) for row in rows],
    }


def _row(row: Heartbeat) -> Result:
    """A heartbeat as the answer shows it; the host's name is nobody's business here."""
    shown = {key: row.detail[key] for key in ("queues", "terraform_version", "leading") if key in row.detail}
    return {"age_seconds": round((now() - row.at).total_seconds(), 1), **shown}
