"""Rules of the rooms: runs, state, what follows an interrupt, what Terraform does not see."""

from __future__ import annotations

from tests.guards.guard import Guard

RUNS = "environments/runs/"
TESTS = "tests/environments/runs/"

GUARDS: list[Guard] = []
