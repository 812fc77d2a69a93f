"""Death at any point, and proof before unlock."""

from __future__ import annotations

from tests.guards.guard import Guard

OUTAGE = "tests/environments/changes/test_sweeper_outage.py::"
PROOF = "tests/environments/runs/test_proof_before_unlock.py::"
SCHEDULER = "tests/portal/scheduler/test_scheduler.py::"
OUTLIVES = PROOF + "test_a_terraform_that_outlives_its_workers_lease_keeps_its_lock_and_has_the_last_word"

GUARDS = [
    Guard(
        "rule 4",
        "After a database that was away, workers that live have two heartbeats to say so",
        "environments/changes/sweeper.py",
        "    if not _spared():\n        _bury_the_dead()\n",
        "    _bury_the_dead()\n",
        (OUTAGE + "test_after_a_database_that_was_away_the_living_have_time_to_say_so",),
    ),
    Guard(
        "rule 4",
        "A worker that renews at the last moment is not buried",
        "environments/changes/sweeper.py",
        "    if not held.abandoned(now()).exists():\n",
        "    if not held.exists():\n",
        (OUTAGE + "test_a_worker_that_renews_at_the_last_moment_is_not_buried",),
    ),
    Guard(
        "rule 4",
        "What kills whoever proposes it is not given to a fourth worker",
        "environments/changes/sweeper.py",
        "    elif died >= FATAL_PROPOSALS:\n",
        "    elif died >= 1000:\n",
        (OUTAGE + "test_what_kills_whoever_proposes_it_ends_after_three",),
    ),
    Guard(
        "rule 1",
        "A change that cannot be swept keeps no other waiting",
        "environments/changes/sweeper.py",
        '    except Exception:\n        logger.exception("Change %s could not be swept", change.uuid)\n',
        "    except ZeroDivisionError:\n        raise\n",
        (OUTAGE + "test_a_change_that_cannot_be_swept_keeps_no_other_waiting",),
    ),
    Guard(
        "rule 1",
        "A broker that is away costs one try a round, not one for each change",
        "environments/changes/sweeper.py",
        "        if not resend(change):\n            return",
        "        if not resend(change):\n            continue",
        (OUTAGE + "test_a_broker_that_is_away_costs_one_try_a_round",),
    ),
    Guard(
        "rule 4",
        "The engine's sweep does not wait for what is slow",
        "portal/scheduler/process.py",
        "urgent is None or one.urgent is urgent",
        "urgent is not True",
        (SCHEDULER + "test_what_is_urgent_does_not_wait_for_a_slow_function",),
    ),
    Guard(
        "rule 4",
        "A leader that was killed is followed at once on its machine",
        "portal/scheduler/leadership.py",
        "    if _is_dead(row.owner):\n",
        "    if False:\n",
        (SCHEDULER + "test_a_leader_that_was_killed_is_followed_at_once_on_its_machine",),
    ),
    Guard(
        "rule 4",
        "A connection that broke does not end the scheduler's pulse",
        "portal/scheduler/process.py",
        "from django.db import Error as DatabaseError\n",
        "from django.db import DatabaseError\n",
        (SCHEDULER + "test_a_connection_that_broke_does_not_end_the_pulse",),
    ),
    Guard(
        "rule 4",
        "No lock is released, by the portal or an admin, while its Terraform lives",
        "environments/runs/states/store.py",
        "        if held.change is not None and tool_alive(held.change) is True:\n",
        "        if False:\n",
        (OUTLIVES,),
    ),
    Guard(
        "rule 4",
        "A Terraform that nobody could name is found by the folder in which it stands",
        "environments/runs/states/store.py",
        "    return True if living is False and folder and at_work_in(Path(folder)) else living\n",
        "    return living\n",
        (PROOF + "test_a_worker_that_died_before_it_could_name_its_terraform_frees_nothing",),
    ),
    Guard(
        "rule 7",
        "A worker that lost its run leaves Terraform's log to whoever closes the books",
        "environments/runs/workspace.py",
        "        left = TerraformRun.objects.filter(change=change, unreckoned=True).exists()\n",
        "        left = False\n",
        (OUTLIVES,),
    ),
    Guard(
        "trap 5",
        "A state that Terraform could not deliver is found in whichever worker's folder, and stored",
        "environments/runs/leftovers/salvage.py",
        '    if told.is_dir() and told.name.startswith(f"{change.uuid}-apply-"):\n',
        "    if False:\n",
        (PROOF + "test_a_state_that_could_not_be_delivered_outlives_worker_and_terraform",),
    ),
]
