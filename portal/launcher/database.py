"""Run by the environment's Python: bring the database up to date, and the demonstration into a new one.

    python -m portal.launcher.database [--demo]     prints one JSON object as its last line

Only what is missing is done, so that a second start costs one look.
"""

import json
import os
import sys
from pathlib import Path


def prepare(*, demo: bool) -> dict[str, object]:
    """What was done, and the demonstration's sign-ins: {"migrated": int, "demo": bool, "sign_ins": [...]}."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    new = not executor.loader.applied_migrations
    # A demonstration that broke off is finished at the next start.
    pending = Path(settings.DATA_DIR) / "demo-pending"
    if demo and new:
        pending.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pending.touch()
    if missing:
        call_command("check", "--database", "default")
        call_command("migrate", interactive=False, verbosity=1)
    call_command("createcachetable")
    began = demo and pending.exists()
    if began:
        call_command("demo")
        pending.unlink()
    return {"migrated": len(missing), "demo": began, "sign_ins": sign_ins() if demo else []}


def sign_ins() -> list[tuple[str, str, str]]:
    """The demonstration's people that are in this database: user name, what they may do, password."""
    from portal.accounts.models import User
    from portal.demo.people import OUTSIDER, PASSWORD, PEOPLE

    known = set(User.objects.filter(is_active=True).values_list("username", flat=True))
    people = [(username, f"{name}, {role.label}") for username, name, role in PEOPLE]
    people.append((OUTSIDER[0], f"{OUTSIDER[1]}, of another tenant"))
    return [(username, who, PASSWORD) for username, who in people if username in known]


def main() -> int:
    """Exit status 0; anything else is an exception with its traceback in the log."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    sys.stdout.write("\n" + json.dumps(prepare(demo="--demo" in sys.argv[1:]), default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
