"""Rules of proving a deployment, and of the way back."""

from __future__ import annotations

from tests.guards.guard import Guard

GUARDS = [
    Guard(
        "deployments",
        "Stable after ECS went back is no success",
        "environments/deployments/proving/proof.py",
        '    if status != "SUCCESSFUL":',
        "    if False:",
        ("tests/environments/deployments/test_proof.py::test_stable_after_ecs_went_back_is_no_success",),
    ),
    Guard(
        "deployments",
        "Every running task carries the approved digest",
        "environments/deployments/proving/proof.py",
        'if part.digest and not carries(task.get("containers", []), part.container, part.digest):',
        "if False:",
        ("tests/environments/deployments/test_proof.py::test_one_task_that_is_otherwise_is_enough",),
    ),
    Guard(
        "deployments",
        "What took its place is said to be replaced",
        "environments/deployments/proving/proof.py",
        "return _replaced(part, service) or _taken(part, service)",
        'return ""',
        (
            "tests/environments/deployments/test_proof.py::test_what_somebody_put_in_its_place_is_said_to_be_replaced",
        ),
    ),
    Guard(
        "deployments",
        "A restart is proven by new tasks",
        "environments/deployments/proving/proof.py",
        "if part.deployment.act == Act.RESTART and not _of_restart(part, task):",
        "if False:",
        ("tests/environments/deployments/test_proof.py::test_a_restart_is_proven_by_new_tasks",),
    ),
    Guard(
        "deployments",
        "An alarm of before is not held against it",
        "environments/deployments/proving/baking.py",
        'return row["state"] == alarms.ALARM and not row["before"]',
        'return bool(row["state"] == alarms.ALARM)',
        (
            "tests/environments/deployments/test_ways_back.py::test_an_alarm_that_fired_before_is_said_and_not_held_against_it",
        ),
    ),
    Guard(
        "deployments",
        "Whoever deploys is left alone by a way back",
        "environments/deployments/proving/retreating.py",
        "            claims.take(change)\n",
        "            pass\n",
        (
            "tests/environments/deployments/test_ways_back.py::test_who_finds_somebody_deploying_leaves_it_to_them",
        ),
    ),
    Guard(
        "deployments",
        "A deregistered revision comes back as an equal one",
        "environments/deployments/proving/back_again.py",
        'if definition.get("status") == "ACTIVE":',
        "if True:",
        (
            "tests/environments/deployments/test_ways_back.py::test_a_previous_revision_that_was_deregistered_is_registered_again",
        ),
    ),
    Guard(
        "deployments",
        "A check never asks the portal's own machine",
        "portal/aws/answers.py",
        "if _inside(text):",
        "if False:",
        ("tests/portal/aws/test_answers.py::test_the_portals_own_machine_is_never_asked",),
    ),
    Guard(
        "deployments",
        "... and follows to no other host",
        "portal/aws/answers.py",
        "if there.hostname != here.hostname:",
        "if False:",
        ("tests/portal/aws/test_answers.py::test_status_and_redirects",),
    ),
    Guard(
        "deployments",
        "A deployment that is observed goes back when somebody stops it",
        "environments/deployments/proving/verifying.py",
        "    if work.wishes()[0] and deployment.act in UNDER_WATCH:\n",
        "    if False:\n",
        (
            "tests/environments/deployments/test_observed.py::test_the_first_deployment_of_a_service_is_taken_back_by_one_button",
        ),
    ),
    Guard(
        "deployments",
        "Who is overtaken after an alarm fired is not good",
        "environments/deployments/proving/baking.py",
        " and not _fired(deployment):\n",
        ":\n",
        (
            "tests/environments/deployments/test_observed.py::test_one_whose_alarm_had_fired_by_then_is_not_good",
        ),
    ),
    Guard(
        "deployments",
        "Who is fled from by a rollback is not good",
        "environments/deployments/proving/baking.py",
        "if newer is not None and newer.deployment.act != Act.ROLLBACK and",
        "if newer is not None and",
        (
            "tests/environments/deployments/test_observed.py::test_a_rollback_that_takes_over_says_that_it_was_not_good",
        ),
    ),
    Guard(
        "deployments",
        "Claims taken to go back end with the verdict",
        "environments/changes/execution.py",
        "        # A kind that took something back while it verified holds what it touched.\n"
        "        freed = claims.release(work.change)\n",
        "        freed = []\n",
        ("tests/environments/deployments/test_outcomes.py::test_an_alarm_in_the_bake_takes_it_back",),
    ),
]
