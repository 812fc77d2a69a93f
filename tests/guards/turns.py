"""Rules of the queue, of what was approved, and of retries."""

from __future__ import annotations

from tests.guards.guard import Guard

CHANGES = "environments/changes/"
RUNS = "environments/runs/"
TESTS = "tests/environments/changes/"
FAIR = TESTS + "test_fairness.py::"
PARTS = TESTS + "test_queue_of_parts.py::"
SPANS = TESTS + "test_queue_estimates.py::"
EXACT = TESTS + "test_exactly_approved.py::"
RETRY = TESTS + "test_retries.py::"
BASES = "tests/environments/runs/test_bases.py::"
WITHIN = "tests/environments/runs/test_repeating.py::"
DIFFER = "tests/environments/runs/test_comparison.py::"
DRIFT = "tests/environments/runs/test_drift_delays_nothing.py::"


def _guard(rule: str, says: str, where: tuple[str, str, str], *tests: str) -> Guard:
    file, snippet, without = where
    return Guard(rule, says, file, snippet, without, tests)


QUEUE = [
    _guard(
        "queue",
        "One tenant's fifty requests do not starve another's one",
        (
            CHANGES + "fairness.py",
            "change.priority >= 0, busy[tenant], served.get(tenant, 0), change.priority",
            "change.priority >= 0, 0, 0, change.priority",
        ),
        FAIR + "test_fifty_requests_of_one_tenant_do_not_starve_anothers_one",
        FAIR + "test_one_worker_serves_the_tenants_in_turn",
    ),
    _guard(
        "queue",
        "A rollback is taken before everybody's plans",
        (CHANGES + "fairness.py", "return change.priority >= 0, busy", "return True, busy"),
        FAIR + "test_a_rollback_is_taken_before_fifty_plans",
    ),
    _guard(
        "queue",
        "What has to wait is passed over, not waited for",
        (CHANGES + "fairness.py", " and line.waiting_for(change) is None", ""),
        FAIR + "test_what_has_to_wait_is_passed_over_not_waited_for",
    ),
    _guard(
        "queue",
        "Beyond the first few, a change is found by its own message",
        (CHANGES + "fairness.py", "if named and all(", "if False and all("),
        FAIR + "test_beyond_the_first_few_a_change_is_found_by_its_own_message",
    ),
    _guard(
        "queue",
        "Many of one kind do not hide another kind of the same environment",
        (
            CHANGES + "fairness.py",
            'partition_by=[F("environment"), F("kind")]',
            'partition_by=[F("environment")]',
        ),
        FAIR + "test_many_kinds_in_one_environment_do_not_hide_each_other",
    ),
    _guard(
        "queue",
        "Who loses the race for a change takes the next",
        (
            CHANGES + "turns.py",
            "        if change is None or execution.advance(str(change.uuid), by=by):\n",
            "        if change is None or execution.advance(str(change.uuid), by=by) or True:\n",
        ),
        FAIR + "test_a_lost_race_goes_on_to_the_next_instead_of_going_home",
    ),
    _guard(
        "queue",
        "Related changes wait for each other",
        (CHANGES + "line.py", "if subject in self._holders and", "if False and subject in self._holders and"),
        PARTS + "test_an_apply_and_a_deployment_run_side_by_side_and_related_ones_wait",
        TESTS + "test_queue.py",
    ),
    _guard(
        "queue",
        "A hold on a service stops what touches the service",
        (CHANGES + "line.py", "if hold.subject in parts", "if hold.subject == ''"),
        PARTS + "test_a_hold_on_a_service_stops_that_service_only",
    ),
    _guard(
        "queue",
        "A hold that has expired lets go at once",
        (CHANGES + "execution.py", "        later = min(later, waiting.until)\n", "        pass\n"),
        PARTS + "test_an_expired_hold_lets_go_by_itself_at_once",
    ),
    _guard(
        "queue",
        "A hold placed at the last moment still stops the start",
        (
            CHANGES + "claims.py",
            "    waiting = waiting_for(change)\n",
            "    waiting = Line.around(change).behind(change)\n",
        ),
        EXACT + "test_a_hold_placed_at_the_last_moment_still_stops_it",
    ),
    _guard(
        "queue",
        "An estimate takes off what the running one has done",
        (CHANGES + "estimates.py", "span -= (now - change.started_at).total_seconds()", "span -= 0"),
        SPANS + "test_the_median_less_what_is_done_plus_those_between",
    ),
    _guard(
        "queue",
        "An estimate that nothing supports is not given",
        (
            CHANGES + "estimates.py",
            "    if any(_group(change) not in known for change in before):\n",
            "    if False:\n",
        ),
        SPANS + "test_nothing_of_the_kind_has_run_so_it_is_not_known",
    ),
    _guard(
        "queue",
        "Longer than usual is not known, rather than zero",
        (CHANGES + "estimates.py", "            if span <= 0:\n", "            if False:\n"),
        SPANS + "test_longer_than_usual_is_not_known_rather_than_zero",
    ),
    _guard(
        "queue",
        "Looks at drift have a worker of their own",
        ("portal/launcher/commands.py", '"worker", "-Q", queue]', '"worker", "-Q", "changes,housekeeping"]'),
        DRIFT + "test_the_launcher_starts_a_worker_for_each_queue",
    ),
    _guard(
        "queue",
        "A look at drift that an apply overtook is not believed",
        (
            RUNS + "drift/checks.py",
            "    if store.position(row.environment) != before:\n",
            "    if False:\n",
        ),
        DRIFT + "test_an_apply_passes_a_look_at_its_own_environment",
    ),
]

APPROVED = [
    _guard(
        "approved",
        "An approval that expired in the queue starts nothing",
        (CHANGES + "execution.py", "change.expires_at <= now:", "False:"),
        EXACT + "test_an_approval_that_expired_in_the_queue_starts_nothing",
    ),
    _guard(
        "approved",
        "In a retired environment nothing goes on",
        (CHANGES + "execution.py", "    if change.environment.retired_at is not None:\n", "    if False:\n"),
        EXACT + "test_in_a_retired_environment_nothing_goes_on",
    ),
    _guard(
        "approved",
        "A start at a time is reached however far it is",
        (
            CHANGES + "approvals.py",
            "first = max(since, change.start_at) if change.start == Start.AT and change.start_at else since",
            "first = since",
        ),
        EXACT + "test_a_start_at_a_time_beyond_the_approvals_life_is_reached",
    ),
    _guard(
        "approved",
        "Proposed again to the same end, an approval keeps place and end",
        (CHANGES + "execution.py", "    if again and change.approved_at is not None:\n", "    if False:\n"),
        EXACT + "test_proposed_again_to_the_same_end_it_keeps_its_place_and_its_end",
    ),
    _guard(
        "approved",
        "Votes are asked again in the transaction of the start",
        (CHANGES + "execution.py", "            if not passed(change):\n", "            if False:\n"),
        EXACT + "test_a_role_withdrawn_while_the_base_is_looked_at_counts_too",
    ),
    _guard(
        "approved",
        "Requester and voters are told why it asks again",
        (
            CHANGES + "execution.py",
            'notices.announce(change, "asked_again", comment=why.note if why else "")',
            "notices.announce(change, change.status)",
        ),
        EXACT + "test_requester_and_voters_are_told_why_it_asks_again",
    ),
    _guard(
        "approved",
        "A state that moved is planned again, also one of the same serial",
        (
            RUNS + "states/store.py",
            '"serial": newest.serial, "md5": newest.md5}',
            '"serial": newest.serial, "md5": ""}',
        ),
        BASES + "test_a_state_that_moved",
    ),
    _guard(
        "approved",
        "Another role of the same account is another ground",
        (RUNS + "bases.py", '"account_access": _access(account),', '"account_access": "",'),
        BASES + "test_an_account_that_changed",
    ),
    _guard(
        "approved",
        "A vote for the sandbox is none for the real account of that number",
        (
            RUNS + "bases.py",
            'return f"{account.kind}:{account.account_id}" if account else ""',
            'return account.account_id if account else ""',
        ),
        BASES + "test_a_vote_for_the_sandbox_is_none_for_the_real_account_of_the_same_number",
    ),
    _guard(
        "approved",
        "A definition altered behind the portal's back is planned again",
        (
            RUNS + "bases.py",
            '"definition_digest": definition_digest(definition),',
            '"definition_digest": "",',
        ),
        BASES + "test_a_definition_altered_behind_the_portals_back",
    ),
    _guard(
        "approved",
        "A plan folder that was altered is planned again",
        (RUNS + "bases.py", "    if wanted and hashlib", "    if False and hashlib"),
        BASES + "test_a_folder_that_is_gone_altered_or_unreadable",
    ),
    _guard(
        "approved",
        "A difference only in a hidden value is told as that",
        (
            RUNS + "comparison.py",
            'return all(then[name] == now[name] for name in ("before", "after", "unknown"))',
            "return False",
        ),
        DIFFER + "test_a_difference_only_in_a_hidden_value_is_told_as_that",
    ),
    _guard(
        "approved",
        "Two large plans are compared in bounds",
        (RUNS + "comparison.py", "        if len(rows) < SHOWN:\n", "        if True:\n"),
        DIFFER + "test_two_large_plans_are_compared_in_bounds",
    ),
]

RETRIES = [
    _guard(
        "retry",
        "A retry that does more than was approved asks again",
        (CHANGES + "carrying.py", "    if new:\n", "    if False:\n"),
        RETRY + "test_anything_more_asks_again_and_says_what_is_new",
    ),
    _guard(
        "retry",
        "An old vote is not carried",
        (CHANGES + "carrying.py", ", at__gt=since)", ")"),
        RETRY + "test_an_old_vote_is_not_carried",
    ),
    _guard(
        "retry",
        "... nor does a carried one grow younger",
        (
            CHANGES + "approvals.py",
            "return min(ends, oldest + timedelta(hours=settings.APPROVAL_TTL_HOURS)) if oldest else ends",
            "return ends",
        ),
        RETRY + "test_a_carried_vote_does_not_grow_younger",
    ),
    _guard(
        "retry",
        "Requester and authors of the retry are not spoken for",
        (CHANGES + "carrying.py", "barred = set(barred_voters(change))", "barred = set()"),
        RETRY + "test_who_asks_again_does_not_bring_their_own_vote_along",
        RETRY + "test_who_wrote_the_definition_meanwhile_is_not_spoken_for",
    ),
    _guard(
        "retry",
        "A voter without the role is not spoken for",
        (CHANGES + "carrying.py", "        if roles & _wanted(change):\n", "        if True:\n"),
        RETRY + "test_a_voter_without_the_role_is_not_spoken_for",
    ),
    _guard(
        "retry",
        "A carried vote that was taken back stays back",
        (
            CHANGES + "carrying.py",
            '    barred |= set(withdrawn.values_list("user_id", flat=True))\n',
            "    pass\n",
        ),
        RETRY + "test_a_carried_vote_that_was_taken_back_stays_back",
    ),
    _guard(
        "retry",
        "Only standing votes on the last proposal are carried",
        (
            CHANGES + "carrying.py",
            "given = Vote.objects.counting_for(earlier)",
            "given = Vote.objects.filter(proposal__change=earlier)",
        ),
        RETRY + "test_a_vote_that_did_not_stand_is_not_carried",
    ),
    _guard(
        "retry",
        "One retry of a change at a time",
        (CHANGES + "abilities.py", "    if under_way:\n", "    if False:\n"),
        RETRY + "test_one_retry_at_a_time",
    ),
    _guard(
        "retry",
        "What was to be created is not replaced under the old votes",
        (RUNS + "repeating.py", "if row.action != approved.action or", "if False or"),
        WITHIN + "test_no_larger_nor_other_action",
    ),
    _guard(
        "retry",
        "What was said to become a value does not become open again",
        (RUNS + "repeating.py", '    if side == "after" and one["unknown"]:\n', "    if False:\n"),
        WITHIN + "test_what_was_to_be_known_after_apply_covers_what_it_became",
    ),
    _guard(
        "retry",
        "A hidden value is the same only on proof",
        (
            RUNS + "repeating.py",
            "return bool(mine and theirs and mine[place] and mine[place] == theirs[place])",
            "return True",
        ),
        WITHIN + "test_a_hidden_value_is_the_same_only_on_proof",
    ),
    _guard(
        "retry",
        "From another definition, blueprint or account nothing is the same",
        (
            RUNS + "repeating.py",
            "    if any(proposal.base.get(name) != earlier.base.get(name) for name in GROUND):\n",
            "    if False:\n",
        ),
        WITHIN + "test_from_other_ground_nothing_is_the_same",
    ),
    _guard(
        "retry",
        "A destruction is the same only of the same thing",
        (RUNS + "repeating.py", 'return bool(now.get("id")) and now == then', "return True"),
        WITHIN + "test_a_destruction_is_the_same_only_of_the_same_thing",
    ),
]

GUARDS = [*QUEUE, *APPROVED, *RETRIES]
