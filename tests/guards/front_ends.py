"""Rules of static front ends."""

from __future__ import annotations

from tests.guards.guard import Guard

GUARDS = [
    Guard(
        "front ends",
        "Only a bucket that CloudFront serves is a front end",
        "environments/deployments/front_ends/places.py",
        "[row for row in distributions if bucket in _origins(row)]",
        "list(distributions)[:1]",
        (
            "tests/environments/deployments/front_ends/test_places.py::test_a_bucket_that_nothing_serves_is_none",
        ),
    ),
    Guard(
        "front ends",
        "Names in a build stay inside its folder",
        "environments/deployments/front_ends/builds.py",
        'not {"", ".", ".."}.isdisjoint(parts)',
        "False",
        (
            "tests/environments/deployments/front_ends/test_builds.py::test_a_name_that_leaves_the_folder_is_refused",
        ),
    ),
    Guard(
        "front ends",
        "Links in a build are refused",
        "environments/deployments/front_ends/builds.py",
        "if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):",
        "if False:",
        ("tests/environments/deployments/front_ends/test_builds.py::test_links_and_devices_are_refused",),
    ),
    Guard(
        "front ends",
        "A build says itself how large it is, and is not believed",
        "environments/deployments/front_ends/builds.py",
        "if size > most:",
        "if False:",
        (
            "tests/environments/deployments/front_ends/test_builds.py::test_the_limits_hold_whatever_the_zip_says_of_itself",
        ),
    ),
    Guard(
        "front ends",
        "Only what was approved is deleted",
        "environments/deployments/front_ends/putting.py",
        "gone = [key for key in self.plan.removed if key in there",
        "gone = [key for key in there if True",
        (
            "tests/environments/deployments/front_ends/test_release.py::test_what_came_after_the_approval_is_not_deleted",
        ),
    ),
    Guard(
        "front ends",
        "A bucket that moved is proposed again",
        "environments/deployments/front_ends/proposing.py",
        'if comparing.fingerprint(listed) != proposal.base.get("bucket"):',
        "if False:",
        (
            "tests/environments/deployments/front_ends/test_release.py::test_a_bucket_that_moved_is_proposed_again",
        ),
    ),
    Guard(
        "front ends",
        "Only the last good release needs no vote",
        "environments/deployments/front_ends/proposing.py",
        "back = good is not None and good.pk == release.pk",
        "back = work.change.priority < 0",
        (
            "tests/environments/deployments/front_ends/test_release.py::test_production_asks_for_a_new_build_and_not_for_the_last_good_one",
        ),
    ),
    Guard(
        "front ends",
        "It can be stopped until something is replaced",
        "environments/deployments/front_ends/putting.py",
        "if self.work.wishes()[0]:",
        "if False:",
        (
            "tests/environments/deployments/front_ends/test_release.py::test_it_can_be_stopped_until_something_is_replaced",
        ),
    ),
    Guard(
        "front ends",
        "Only what was uploaded is put",
        "environments/deployments/front_ends/putting.py",
        "if not builds.is_file(",
        "if not True and not builds.is_file(",
        ("tests/environments/deployments/front_ends/test_release.py::test_only_what_was_uploaded_is_put",),
    ),
    Guard(
        "front ends",
        "One invalidation, whoever dies",
        "environments/deployments/front_ends/putting.py",
        "str(self.work.change.uuid)",
        "str(timezone.now())",
        (
            "tests/environments/deployments/front_ends/test_release.py::test_a_dead_worker_is_followed_and_nothing_is_ordered_twice",
        ),
    ),
]
