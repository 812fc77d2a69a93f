"""What people read of services and deployments: unknown is never green, and no secret leaves."""

from __future__ import annotations

from tests.guards.guard import Guard

HERE = "tests/environments/deployments/"
PAGE = HERE + "test_change_page.py::"
STATUS = HERE + "test_service_status.py::"
TAB = HERE + "test_services_tab.py::"
DORA = HERE + "test_dora.py::"
VERDICTS = HERE + "test_verdicts.py::"

GUARDS = [
    Guard(
        "deployments",
        "A sensitive value reaches neither page nor API, whatever the row holds",
        "environments/deployments/shown/proposal.py",
        '        "after": None if sensitive else row.get("after"),\n',
        '        "after": row.get("after"),\n',
        (PAGE + "test_a_proposal_says_what_it_does_and_hides_what_is_secret",),
    ),
    Guard(
        "deployments",
        "A label of an image becomes no link that runs a script",
        "environments/deployments/shown/proposal.py",
        '"url": url if url.startswith("https://") else ""',
        '"url": url',
        (PAGE + "test_a_label_cannot_smuggle_a_link",),
    ),
    Guard(
        "deployments",
        "What was rolled back never reads as succeeded",
        "environments/deployments/shown/progress.py",
        "    Outcome.ROLLED_BACK: ATTENTION,\n",
        "    Outcome.ROLLED_BACK: HEALTHY,\n",
        (PAGE + "test_what_went_wrong_never_reads_as_success",),
    ),
    Guard(
        "deployments",
        "Watching that stopped is said",
        "environments/deployments/shown/progress.py",
        "(now - part.progress_at).total_seconds() > STALE_SECONDS",
        "(now - part.progress_at).total_seconds() > 1_000_000",
        (PAGE + "test_a_look_that_stopped_coming_is_said",),
    ),
    Guard(
        "services",
        "A figure older than twice its interval is unknown, not green",
        "environments/deployments/status/verdicts.py",
        "    if is_stale(row.taken_at, interval, now):\n",
        "    if False:\n",
        (VERDICTS + "test_each_state", TAB + "test_an_old_look_is_unknown_and_says_why"),
    ),
    Guard(
        "services",
        "An error stands beside the old values and does not make them new",
        "environments/deployments/status/checks.py",
        "    if seen.values:\n        row.taken_at = began\n",
        "    if True:\n        row.taken_at = began\n",
        (STATUS + "test_an_error_stands_beside_the_old_values",),
    ),
    Guard(
        "services",
        "The image of an old revision is not shown for a new one that could not be read",
        "environments/deployments/status/reading.py",
        '            found[arn].values["images"] = {}\n',
        "",
        (STATUS + "test_the_old_image_is_not_shown_for_a_new_revision",),
    ),
    Guard(
        "services",
        "What nobody here made is called so, also after it was brought back",
        "environments/deployments/status/strange.py",
        '.exclude(back_arn=F("previous_arn"))',
        "",
        (STATUS + "test_going_back_to_what_was_strange_stays_strange",),
    ),
    Guard(
        "services",
        "Terraform's older revision still counts as Terraform's when the state forgot it",
        "environments/deployments/status/strange.py",
        "    return [*known, *sorted(now)][-KEPT:]\n",
        "    return sorted(now)\n",
        (STATUS + "test_what_terraform_or_a_deployment_made_is_ours",),
    ),
    Guard(
        "services",
        "A look that lost its lease writes nothing",
        "environments/deployments/status/checks.py",
        "        if mine is None:\n            return\n",
        "        mine = mine or row\n",
        (STATUS + "test_who_lost_the_lease_writes_nothing",),
    ),
    Guard(
        "services",
        "Two workers do not look at the same services at once",
        "environments/deployments/status/checks.py",
        ".exclude(lease_until__gt=began)\n    if not taken",
        "\n    if not taken",
        (STATUS + "test_two_workers_do_not_look_at_once",),
    ),
    Guard(
        "services",
        "Another environment's deployments say nothing here",
        "environments/deployments/shown/ownership.py",
        "        deployment__change__environment=environment,\n",
        "",
        (TAB + "test_a_deployment_elsewhere_says_nothing_here",),
    ),
    Guard(
        "delivery",
        "Without data a figure is not known, never zero",
        "environments/deployments/history/dora.py",
        "        return None if self.recorded_since is None else 7 * len(self.successes) / self.days\n",
        "        return 7 * len(self.successes) / self.days\n",
        (DORA + "test_nothing_deployed_is_not_known",),
    ),
    Guard(
        "delivery",
        "A deployment that was rolled back later counts as one that went wrong",
        "environments/deployments/history/dora.py",
        "            undone.append(was)\n",
        "",
        (DORA + "test_a_failure_is_what_did_not_come_through_or_was_rolled_back",),
    ),
]
