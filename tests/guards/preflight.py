"""Rules of looking ahead: what is unknown is not fine, what is not proven does not stop, one key asks once."""

from __future__ import annotations

from tests.guards.guard import Guard

AHEAD = "environments/deployments/preflight/"
SUBJECTS = "tests/environments/deployments/preflight/test_subjects.py::"
RIGHTS = "tests/environments/deployments/preflight/test_rights_and_secrets.py::"
SANDBOX = "tests/environments/deployments/preflight/test_in_the_sandbox.py::"
API = "tests/environments/deployments/requests/test_api.py::"
DEPLOY = "tests/environments/deployments/requests/test_deploy_page.py::"
ECR = "tests/portal/aws/test_ecr.py::"
LIFECYCLE = "tests/portal/aws/test_ecr_lifecycle.py::"

GUARDS = [
    Guard(
        "preflight",
        "What may not be read is unknown, and the rest is still told",
        AHEAD + "__init__.py",
        'found.append(unknown(name, _("Not known: %(why)s") % {"why": error}, error.hint))',
        "pass",
        (SUBJECTS + "test_what_may_not_be_read_is_unknown_and_the_rest_is_still_told",),
    ),
    Guard(
        "preflight",
        "An image for another platform does not go to approval",
        AHEAD + "image.py",
        "    if any(_fits(one, wanted) for one in image.platforms):\n",
        "    if image.platforms:\n",
        (SUBJECTS + "test_platform",),
    ),
    Guard(
        "preflight",
        "A platform that is not known is not taken for the right one",
        AHEAD + "image.py",
        "    if not image.platforms:\n        return unknown(",
        "    if not image.platforms:\n        return ok('platform', '')\n        return unknown(",
        (SUBJECTS + "test_platform",),
    ),
    Guard(
        "preflight",
        "A role's silence fails only where no policy on the other side may allow it",
        AHEAD + "rights.py",
        "word == EXPLICIT_DENY or (word != UNJUDGED and not elsewhere(resource))",
        "word != UNJUDGED",
        (RIGHTS + "test_rights",),
    ),
    Guard(
        "preflight",
        "What a condition decides is not taken for a refusal",
        "portal/aws/rights.py",
        'return UNJUDGED if said != ALLOWED and row.get("MissingContextValues") else said',
        "return said",
        ("tests/portal/aws/test_secrets.py::test_rights_of_all_pages_and_what_a_condition_hides",),
    ),
    Guard(
        "preflight",
        "A secret without a current value is as good as none",
        AHEAD + "secrets.py",
        "    if not wanted.version and not secret.version(wanted.stage or CURRENT):\n",
        "    if False:\n",
        (RIGHTS + "test_secrets",),
    ),
    Guard(
        "preflight",
        "Fewer tasks need no image",
        AHEAD + "__init__.py",
        "        if key not in ALWAYS and not target.starts_tasks:\n",
        "        if False:\n",
        (SANDBOX + "test_a_restart_whose_image_is_gone_cannot_work_but_fewer_tasks_can",),
    ),
    Guard(
        "preflight",
        "A rolling deployment that can go on one by one is not stopped for want of addresses",
        AHEAD + "addresses.py",
        "    elif _may_go_on(target, left):\n",
        "    elif False:\n",
        (SUBJECTS + "test_addresses",),
    ),
    Guard(
        "images",
        "An image that was not scanned has no zero findings",
        "portal/aws/ecr_scans.py",
        '            return Scan(why=_("ECR has not scanned it."))\n',
        "            return Scan({})\n",
        (ECR + "test_an_image_that_was_not_scanned_has_no_zero",),
    ),
    Guard(
        "images",
        "A configuration is believed by its digest only",
        "portal/aws/ecr_manifests.py",
        '    if "sha256:" + hashlib.sha256(content).hexdigest() != digest:\n',
        "    if False:\n",
        (ECR + "test_a_configuration_that_is_not_its_own_is_not_believed",),
    ),
    Guard(
        "images",
        "... and fetched over https only",
        "portal/aws/ecr_manifests.py",
        '    if not url.startswith("https://") and not (own and url.startswith(own)):\n',
        "    if False:\n",
        (ECR + "test_a_configuration_that_is_not_its_own_is_not_believed",),
    ),
    Guard(
        "images",
        "An archived image is refused before anybody waits for its tasks",
        "portal/aws/ecr.py",
        "    _refuse_archived(row, reference)\n",
        "",
        (ECR + "test_an_archived_image_is_refused",),
    ),
    Guard(
        "images",
        "A lifecycle rule leaves alone what an earlier rule selects",
        "portal/aws/ecr_lifecycle.py",
        '        settled |= {str(row["imageDigest"]) for row in chosen}\n',
        "",
        (LIFECYCLE + "test_a_rule_before_keeps_its_images_from_the_ones_after",),
    ),
    Guard(
        "images",
        "A lifecycle rule that cannot be judged is not taken for harmless",
        "portal/aws/ecr_lifecycle.py",
        '    if rule.count_type not in ("sinceImagePushed", "sinceImagePulled"):\n',
        "    if False:\n",
        (LIFECYCLE + "test_a_rule_that_cannot_be_judged_is_not_taken_for_harmless",),
    ),
    Guard(
        "request",
        "The same key asks once, also twice at one moment",
        "environments/deployments/asked/repeated.py",
        "    except IntegrityError:\n",
        "    except ZeroDivisionError:\n",
        (API + "test_the_same_request_twice_at_one_moment_is_one_change",),
    ),
    Guard(
        "request",
        "A key used for something else is refused, not answered with the earlier change",
        "environments/deployments/asked/repeated.py",
        "    if row.asked != said:\n",
        "    if False:\n",
        (API + "test_a_key_used_for_something_else_is_refused",),
    ),
    Guard(
        "request",
        "Whoever may not ask learns nothing by a key",
        "environments/deployments/asked/repeated.py",
        "    if not key or not may_ask:\n",
        "    if not key:\n",
        (API + "test_whoever_may_not_ask_learns_nothing_by_a_key",),
    ),
    Guard(
        "request",
        "A token of one environment promotes into it from no other",
        "environments/deployments/api.py",
        '            source = self.place(wanted.pop("from_environment"))\n',
        '            source = Environment.objects.get(slug=wanted.pop("from_environment").partition(".")[2])\n',
        (API + "test_a_source_that_may_not_be_seen_is_none",),
    ),
    Guard(
        "request",
        "What is not chosen on the page cannot be wrong, nor be asked",
        "environments/deployments/requests/service_forms.py",
        '        return bool(self.cleaned_data.get("chosen"))\n',
        "        return True\n",
        (DEPLOY + "test_settings_of_a_service_that_is_not_chosen_are_not_asked",),
    ),
]
