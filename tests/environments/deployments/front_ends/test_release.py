"""A build becomes what visitors get: exactly it, proven, and undone on demand."""

from __future__ import annotations

from typing import Any

import pytest

from environments.changes import actions as changes
from environments.changes import execution
from environments.changes.lifecycle import Status
from environments.changes.models import Change
from environments.deployments.front_ends import actions, putting, releases
from environments.deployments.front_ends.kind import FrontEndKind
from environments.deployments.front_ends.models import FrontEndDeployment, FrontEndRelease
from portal.accounts.models import User
from portal.accounts.principals import worker
from portal.audit.models import AuditEvent
from portal.aws import cloudfront, objects
from portal.aws.errors import AwsError
from portal.core.errors import Conflict, InvalidInput, NotAllowed
from tests.cast import by
from tests.environments.deployments.front_ends.conftest import FIRST, SECOND, Site, zipped


def test_the_bucket_holds_exactly_the_release(site: Site) -> None:
    site.client("s3").put_object(Bucket=site.bucket, Key="left/from-before.txt", Body=b"x")
    change = site.put(FIRST, label="v1")
    assert change.status == Status.SUCCEEDED, change.error_message
    assert change.proposal is not None
    assert change.proposal.facts["counts"] == {
        "added": 2,
        "changed": 0,
        "again": 0,
        "removed": 1,
        "unchanged": 0,
    }
    assert "left/from-before.txt" in change.proposal.facts["warnings"][0]
    assert site.content == FIRST
    [order] = site.invalidations
    assert order["Status"] == "Completed"
    assert [(row["Key"]) for row in _heads(site)] == sorted(FIRST)


def _heads(site: Site) -> list[dict[str, Any]]:
    s3 = site.client("s3")
    found = []
    for key in sorted(site.content):
        head = s3.head_object(Bucket=site.bucket, Key=key)
        hashed = "aaaa1111" in key
        assert head["CacheControl"] == ("public, max-age=31536000, immutable" if hashed else "no-cache")
        assert head["ContentType"] == ("text/javascript" if hashed else "text/html") + "; charset=utf-8"
        found.append({"Key": key, **head})
    return found


def test_the_next_release_writes_only_what_differs(site: Site) -> None:
    site.put(FIRST)
    change = site.put({**FIRST, "about.html": "new"})
    assert change.status == Status.SUCCEEDED
    assert change.proposal is not None
    assert change.proposal.facts["counts"]["added"] == 1
    assert change.proposal.facts["counts"]["unchanged"] == 2
    assert change.front_end.progress["uploaded"] == 1
    # The same build once more is nothing to do.
    assert site.put({**FIRST, "about.html": "new"}).status == Status.NO_CHANGES
    assert FrontEndRelease.objects.filter(environment=site.environment).count() == 2


def test_new_files_come_first_and_the_first_page_last(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put(FIRST)
    written: list[str] = []
    put = objects.put_object

    def noted(access: Any, bucket: str, key: str, *rest: Any) -> None:
        written.append(key)
        put(access, bucket, key, *rest)

    monkeypatch.setattr(objects, "put_object", noted)
    monkeypatch.setattr(putting, "AT_ONCE", 1)
    assert site.put(SECOND).status == Status.SUCCEEDED
    assert written[-2:] == ["about/index.html", "index.html"]
    assert set(written[:2]) == {"assets/index-bbbb2222.js", "logo.svg"}
    assert site.content == SECOND


def test_production_asks_for_a_new_build_and_not_for_the_last_good_one(
    live_site: Site, approver: User
) -> None:
    site, scene = live_site, live_site.scene
    for number, files in enumerate((FIRST, SECOND, {**SECOND, "third.txt": "3"}), 1):
        change = scene.drive(site.upload(files), "awaiting_approval")
        assert change.proposal is not None
        assert change.proposal.facts["mode"] == "front_end"
        scene.approve(change, approver)
        assert scene.drive(change).status == Status.SUCCEEDED, number
    earlier = scene.drive(site.roll_back(1), "awaiting_approval")
    assert earlier.priority == -10
    back = scene.drive(site.roll_back(2))
    assert (back.status, back.proposal.facts["mode"]) == ("succeeded", "front_end_rollback")  # type: ignore[union-attr]
    assert site.content == SECOND
    # What was asked for before gave way to it.
    earlier.refresh_from_db()
    assert (earlier.status, earlier.superseded_by) == (Status.SUPERSEDED, back)


def test_after_a_failure_one_goes_back_to_what_was_in_force(live_site: Site, approver: User) -> None:
    site, scene = live_site, live_site.scene
    first = scene.drive(site.upload(FIRST), "awaiting_approval")
    scene.approve(first, approver)
    scene.drive(first)
    address = first.front_end.release.address
    second = scene.drive(site.upload(SECOND), "awaiting_approval")
    assert releases.last_good(site.environment, address) is None
    Change.objects.filter(pk=second.pk).update(status=Status.FAILED, started_at="2026-11-20T00:00:00Z")
    FrontEndDeployment.objects.filter(change=second).update(step=putting.SWITCHING)
    Change.objects.filter(pk=first.pk).update(started_at="2026-11-19T00:00:00Z")
    assert releases.in_force(site.environment, address) is None
    good = releases.last_good(site.environment, address)
    assert good is not None
    assert good.number == 1
    back = scene.drive(site.roll_back(1))
    assert back.status == Status.SUCCEEDED
    assert back.proposal is not None
    # Nobody knows what the failed one left: every file is put again.
    assert back.proposal.facts["counts"]["again"] == 2


def test_a_bucket_that_moved_is_proposed_again(live_site: Site, approver: User) -> None:
    site, scene = live_site, live_site.scene
    change = scene.drive(site.upload(FIRST), "awaiting_approval")
    scene.approve(change, approver)
    site.client("s3").put_object(Bucket=site.bucket, Key="new.txt", Body=b"somebody's")
    again = scene.drive(change, "awaiting_approval")
    assert again.proposal is not None
    assert (again.proposal.number, again.proposal.facts["counts"]["removed"]) == (2, 1)
    assert site.content == {"new.txt": "somebody's"}


def test_what_came_after_the_approval_is_not_deleted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(_kind: Any, work: Any) -> None:
        site.client("s3").put_object(Bucket=site.bucket, Key="late.txt", Body=b"x")
        putting.put_in_force(work)

    monkeypatch.setattr(FrontEndKind, "execute", late)
    change = site.put(FIRST)
    # Nobody approved its end; but the bucket is not the release either, and that is said.
    assert site.content == {**FIRST, "late.txt": "x"}
    assert change.status == Status.REGRESSED
    assert "late.txt" in change.error_message


def test_a_dead_worker_is_followed_and_nothing_is_ordered_twice(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, invalidate = objects.put_object, cloudfront.invalidate
    written: list[str] = []

    def dies_at_the_page(access: Any, bucket: str, key: str, *rest: Any) -> None:
        if key == "index.html":
            raise SystemExit
        written.append(key)
        put(access, bucket, key, *rest)

    def dies_when_it_has_ordered(*args: Any) -> None:
        invalidate(*args)
        raise SystemExit

    change = site.scene.drive(site.upload(SECOND), "approved")
    for module, name, dies in (
        (objects, "put_object", dies_at_the_page),
        (cloudfront, "invalidate", dies_when_it_has_ordered),
    ):
        with monkeypatch.context() as patched, pytest.raises(SystemExit):
            patched.setattr(module, name, dies)
            execution.advance(str(change.uuid), by=worker("dies"))
        # Its lease runs out; the sweeper lets another worker go on.
        Change.objects.filter(pk=change.pk).update(lease_until=None, look_at=None)
    assert sorted(written) == sorted(set(SECOND) - {"index.html"})
    assert FrontEndDeployment.objects.get(change=change).invalidation_id == ""
    done = site.scene.drive(change)
    assert done.status == Status.SUCCEEDED, done.error_message
    assert site.content == SECOND
    # Files that were there have not been put again, and the caches were told once.
    assert done.front_end.progress["uploaded"] == len(SECOND)
    assert len(site.invalidations) == 1


def test_only_what_was_uploaded_is_put(site: Site) -> None:
    change = site.scene.drive(site.upload(FIRST), "approved")
    FrontEndRelease.objects.update(content=zipped({**FIRST, "index.html": "exchanged"}))
    failed = site.scene.drive(change)
    assert (failed.status, failed.error_message) == (Status.FAILED, "index.html is not what was uploaded.")
    assert "index.html" not in site.content


def test_it_can_be_stopped_until_something_is_replaced(site: Site, operator: User) -> None:
    site.put(FIRST)
    change = site.scene.drive(site.upload(SECOND), "approved")
    listing = objects.listing

    def cancels(*args: Any) -> Any:
        now = Change.objects.get(pk=change.pk)
        if now.status == Status.EXECUTING and now.cancel_requested_at is None:
            changes.cancel(by=by(operator), change=now)
        return listing(*args)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(objects, "listing", cancels)
        ended = site.scene.drive(change)
    assert ended.status == Status.CANCELLED
    assert {path: site.content[path] for path in FIRST} == FIRST
    assert site.invalidations[1:] == []
    # What is there now is not certain: the next one says so.
    assert site.put(FIRST).proposal.facts["warnings"]  # type: ignore[union-attr]


def test_aws_that_says_no_ends_it_and_aws_away_does_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [AwsError("busy", code="SlowDown", permanent=False)]
    put = objects.put_object

    def refuses(*args: Any) -> None:
        if answers:
            raise answers.pop()
        put(*args)

    monkeypatch.setattr(objects, "put_object", refuses)
    monkeypatch.setattr(putting, "AT_ONCE", 1)
    assert site.put(FIRST).status == Status.SUCCEEDED
    answers.append(AwsError("not allowed", code="AccessDenied", permanent=True))
    failed = site.put(SECOND)
    assert (failed.status, failed.error_message) == (Status.FAILED, "not allowed")
    assert "as it was" in failed.error_hint


def test_only_the_newest_releases_are_kept(site: Site, settings: Any) -> None:
    settings.FRONT_END_RELEASES_KEPT = 2
    asked = [site.upload({**FIRST, "number.txt": str(number)}) for number in (1, 2, 3)]
    assert _kept() == {1: False, 2: True, 3: True}
    # Release 2 never was in force: that is no way back, and overtakes nobody.
    asked.append(site.roll_back(2))
    assert (asked[-1].priority, asked[-1].title[:13]) == (0, "Put release 2")
    asked.append(site.upload({**FIRST, "number.txt": "3"}))
    with pytest.raises(InvalidInput, match="not kept"):
        site.roll_back(1)
    assert site.scene.drive(asked[-1]).status == Status.SUCCEEDED
    # What is in force stays, however many come after it.
    for number in (4, 5, 6):
        site.upload({**FIRST, "number.txt": str(number)})
    assert _kept() == {1: False, 2: False, 3: True, 4: False, 5: True, 6: True}


def _kept() -> dict[int, bool]:
    return {row.number: row.content is not None for row in FrontEndRelease.objects.all()}


def test_who_may_ask(site: Site, viewer: User, approver: User) -> None:
    for user in (viewer, approver):
        with pytest.raises(NotAllowed):
            actions.request_release(by=by(user), environment=site.environment, content=zipped(FIRST))
        with pytest.raises(NotAllowed):
            actions.request_rollback(by=by(user), environment=site.environment, front_end="", number=1)
    assert not FrontEndRelease.objects.exists()
    change = site.upload(FIRST, reason="news")
    event = AuditEvent.objects.get(action="front_end.release")
    assert event.target_id == str(change.uuid)
    assert FrontEndRelease.objects.get().uploaded_by == "Operator"


def test_two_requests_at_once_leave_the_newer_one(site: Site) -> None:
    older, newer = site.upload(FIRST), site.upload(SECOND)
    older.refresh_from_db()
    assert (older.status, older.superseded_by) == (Status.CANCELLED, newer)
    assert site.scene.drive(newer).status == Status.SUCCEEDED


def test_an_environment_that_is_retired_takes_nothing(site: Site) -> None:
    site.environment.retired_at = "2026-11-20T00:00:00Z"
    with pytest.raises(Conflict):
        site.upload(FIRST)
    assert not FrontEndRelease.objects.exists()
