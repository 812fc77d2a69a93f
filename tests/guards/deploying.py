"""Doing and watching a deployment: told once, proven, taken back, kept."""

from __future__ import annotations

from tests.guards.guard import Guard

ROOM = "environments/deployments/"
TESTS = "tests/environments/deployments/rollout/"

GUARDS = [
    Guard(
        "deployments",
        "ECS is not told again what it was told by a worker that died",
        ROOM + "rollout/updating.py",
        "    if part.intended_at is not None and _begun(part, service):\n",
        "    if False:\n",
        (
            TESTS + "test_killed.py::test_each_step_is_done_once_whoever_dies",
            TESTS + "test_killed.py::test_a_restart_is_not_done_again",
        ),
    ),
    Guard(
        "deployments",
        "A one-off task is started with a token, so that asking twice starts one",
        ROOM + "rollout/one_off.py",
        "        clientToken=row.client_token,\n",
        "",
        (TESTS + "test_killed.py::test_each_step_is_done_once_whoever_dies",),
    ),
    Guard(
        "deployments",
        "A revision that says just this already is reused",
        ROOM + "rollout/registering.py",
        "        arn = ecs.find_equal_revision(access, proposal.rendered)\n",
        '        arn = ""\n',
        (TESTS + "test_killed.py::test_each_step_is_done_once_whoever_dies",),
    ),
    Guard(
        "deployments",
        "A worker that was given up for dead registers nothing",
        ROOM + "rollout/registering.py",
        "            work.lease.hold()\n",
        "",
        (TESTS + "test_killed.py::test_a_worker_that_was_given_up_for_dead_tells_ecs_nothing",),
    ),
    Guard(
        "deployments",
        "What moved while a service awaited its turn is not replaced",
        ROOM + "rollout/updating.py",
        "    _fits(part, proposal, service)\n",
        "",
        (TESTS + "test_interrupted.py::test_what_moved_while_its_turn_was_awaited_is_not_replaced",),
    ),
    Guard(
        "deployments",
        "ECS's own way back is a failure, however stable the service is afterwards",
        ROOM + "rollout/verdicts.py",
        '        return Seen("rolled_back", _why(record) or reason)\n',
        '        return Seen("completed", _why(record) or reason)\n',
        (TESTS + "test_verdicts.py::test_by_the_record",),
    ),
    Guard(
        "deployments",
        "The next service waits until the one before is proven",
        ROOM + "rollout/executing.py",
        "        raise Later(PROOF_PAUSE)\n",
        "        pass\n",
        (TESTS + "test_proving.py::test_the_next_service_waits_for_the_proof_of_the_one_before",),
    ),
    Guard(
        "deployments",
        "A migration that fails stops the deployment before anything was touched",
        ROOM + "rollout/before.py",
        "    if done.exit_code != 0:\n",
        "    if done.exit_code is None:\n",
        (TESTS + "test_before.py::test_its_failure_stops_it_before_anything_was_touched",),
    ),
    Guard(
        "deployments",
        "Cancelling takes back what was begun",
        ROOM + "rollout/executing.py",
        "        if plan.work.wishes()[0]:\n",
        "        if False:\n",
        (TESTS + "test_interrupted.py::test_a_cancel_takes_back_what_rolls_out_and_what_was_done",),
    ),
    Guard(
        "deployments",
        "ECS's circuit breaker is on, with rollback, whatever the service had",
        ROOM + "rollout/update_request.py",
        '        breaker |= {"enable": True, "rollback": True}\n',
        '        breaker |= {"enable": True, "rollback": False}\n',
        (TESTS + "test_rolling.py::test_an_image_comes_to_run_and_is_proven",),
    ),
    Guard(
        "deployments",
        "Where no breaker watches, tasks that keep failing end the rollout",
        ROOM + "rollout/verdicts.py",
        "    if failed < enough or ",
        "    if failed < 1000 or ",
        (TESTS + "test_verdicts.py::test_where_no_breaker_watches_we_do",),
    ),
    Guard(
        "deployments",
        "A rollout that never ends is taken back",
        ROOM + "rollout/executing.py",
        "    if minutes is not None:\n",
        "    if False:\n",
        (TESTS + "test_troubles.py::test_a_rollout_that_takes_too_long_is_taken_back",),
    ),
    Guard(
        "deployments",
        "What stopped tasks last said is kept without secrets",
        ROOM + "rollout/task_logs.py",
        "    return kept(mask_patterns(mask_forms(redactor.redact(text))))\n",
        "    return kept(text)\n",
        (TESTS + "test_troubles.py::test_what_is_secret_stays_so_in_last_words",),
    ),
    Guard(
        "deployments",
        "AWS that does not answer for long leaves a change that says that nobody knows",
        ROOM + "rollout/troubles.py",
        "        raise stopping.give_up(plan, refused, int(PATIENCE.total_seconds() // 60)) from refused\n",
        "        pass\n",
        (TESTS + "test_troubles.py::test_aws_that_is_away_is_asked_again_and_given_up_at_last",),
    ),
    Guard(
        "deployments",
        "Following a rollout costs half of the usual loop's calls at most",
        ROOM + "rollout/pacing.py",
        "    return min(SLOWEST, max(SOONEST, wished, missing / _rate(watch)))\n",
        "    return min(SLOWEST, max(SOONEST, min(wished, 4.0)))\n",
        ("tests/benchmarks/test_deploy.py::test_following_costs_half_of_the_usual_loop_at_most",),
    ),
    Guard(
        "deployments",
        "Fifty deployments at once register inside ECS's limit of one a second",
        "portal/aws/limits.py",
        '    "ecs.RegisterTaskDefinition": (0.45, 9),\n',
        '    "ecs.RegisterTaskDefinition": (4, 40),\n',
        ("tests/benchmarks/test_deploy.py::test_fifty_at_once_stay_inside_the_limits_of_ecs",),
    ),
]
