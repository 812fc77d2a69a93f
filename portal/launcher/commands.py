"""How each process of the portal is started, after the interpreter: one place for launcher, benches and tests."""

from __future__ import annotations


def web(bind: str, *, processes: int = 2) -> list[str]:
    """The web process and Terraform's state backend at `bind` (host:port)."""
    command = ["-m", "gunicorn", "portal.wsgi", "--bind", bind, "--worker-class", "gthread"]
    command += ["--workers", str(processes), "--threads", "12", "--preload", "--no-control-socket"]
    return [*command, "--graceful-timeout", "20", "--timeout", "120", "--keep-alive", "5"]


def scheduler() -> list[str]:
    """Leads if it can; any number may run."""
    return ["manage.py", "scheduler"]


def worker(queue: str, concurrency: str, *, level: str = "INFO", name: str = "") -> list[str]:
    """A Celery worker of one queue. `name` tells several of one machine apart."""
    command = ["-m", "celery", "-A", "portal.celery", "--skip-checks", "worker", "-Q", queue]
    command += ["-c", concurrency, "-n", f"{name or queue}@%h", "-l", level]
    # Gossip and mingle only cost messages: nothing here depends on workers knowing each other. System
    # checks import every page of the portal, and the database step has run them.
    return [*command, "--without-gossip", "--without-mingle", "--without-heartbeat"]
