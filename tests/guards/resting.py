"""Rules of phases that rest, of the queues, and of tokens that deploy."""

from __future__ import annotations

from tests.guards.guard import Guard

CHANGES = "environments/changes/"
RESTING = "tests/environments/changes/test_resting.py::"
TOKENS = "tests/environments/deployments/ci/test_tokens.py::"

GUARDS = [
    Guard(
        "rule 4",
        "A phase that rests is gone on with when its time has come, not before",
        CHANGES + "execution.py",
        "    if change.look_at is not None and change.look_at > timezone.now():\n        return False\n",
        "",
        (RESTING + "test_before_its_time_nobody_looks_after_it_somebody_does",),
    ),
    Guard(
        "rule 4",
        "... and only of a kind that says it resumes",
        CHANGES + "execution.py",
        "    if not kind_of(change).resumable(change.status):\n        return False\n",
        "",
        (RESTING + "test_what_may_not_be_resumed_is_left_alone",),
    ),
    Guard(
        "rule 4",
        "Execute is done once; what goes on with it is another step",
        CHANGES + "execution.py",
        "    run = kind.resume if again else kind.execute\n",
        "    run = kind.execute\n",
        (RESTING + "test_before_its_time_nobody_looks_after_it_somebody_does",),
    ),
    Guard(
        "rule 1",
        "A worker that lost its lease lays no phase to rest",
        CHANGES + "execution.py",
        '    """Let the change go until AWS has moved on; whoever is free then goes on with it."""\n'
        "    work.lease.hold()\n",
        '    """Let the change go until AWS has moved on; whoever is free then goes on with it."""\n'
        "    work.fence\n    Change.objects.filter(pk=work.change.pk).update(**RELEASED)\n",
        (RESTING + "test_a_worker_that_lost_it_lays_nothing_to_rest",),
    ),
    Guard(
        "rule 5",
        "A cancel wakes a phase that rests",
        CHANGES + "actions.py",
        "                Change.objects.filter(pk=change.pk).update(look_at=None)\n",
        "",
        (RESTING + "test_a_cancel_wakes_it_at_once",),
    ),
    Guard(
        "rule 5",
        "... and one that came while somebody looked is not slept over",
        CHANGES + "execution.py",
        "    due = timezone.now() if unheard else at\n",
        "    due = at\n",
        (RESTING + "test_a_cancel_that_came_while_it_looked_is_not_slept_over",),
    ),
    Guard(
        "rule 3",
        "A queue's workers take its own kinds only",
        CHANGES + "fairness.py",
        'kinds.names(kinds.named(kind).queue if kind in kinds.names() else "")',
        "kinds.names()",
        (RESTING + "test_a_queues_workers_take_its_own_kinds_only",),
    ),
    Guard(
        "tokens",
        "A token that deploys opens what says so, and nothing else",
        "portal/accounts/authentication.py",
        'SCOPE_DEPLOY in token.scopes and request.method in getattr(view, "deploy_tokens", ())',
        "SCOPE_DEPLOY in token.scopes",
        (TOKENS + "test_it_reads_changes_of_its_environment_and_no_others",),
    ),
    Guard(
        "tokens",
        "... is for one environment and has no other scope",
        "portal/accounts/actions/tokens.py",
        "    elif SCOPE_DEPLOY in scopes and (not environment_id or len(scopes) > 1):\n",
        "    elif False:\n",
        (TOKENS + "test_it_is_for_one_environment_only_and_has_no_other_scope",),
    ),
    Guard(
        "tokens",
        "... is made by somebody who may request changes",
        "environments/deployments/ci/token_actions.py",
        "    if why:\n",
        "    if False:\n",
        (TOKENS + "test_an_admin_who_may_not_request_gets_none_in_their_own_name",),
    ),
    Guard(
        "tokens",
        "... and never by another token",
        "environments/deployments/ci/token_actions.py",
        "    if by.user is None or by.token is not None:\n",
        "    if by.user is None:\n",
        (TOKENS + "test_a_token_makes_none",),
    ),
]
