"""Copies of states in the account's own bucket, on a real S3 of the sandbox, and the way back from them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from environments.models import AwsAccount, Environment
from environments.runs.models import StateCopy, StateLock, StateVersion
from environments.runs.states import copies, copying, doubts, recovering, store
from portal.accounts.principals import SYSTEM
from portal.audit.models import AuditEvent
from portal.aws.errors import AwsError
from portal.aws.sessions import forget_clients
from portal.core.errors import Conflict, GatehouseError, InvalidInput, NotAllowed
from tests.cast import by
from tests.environments.runs.scene import REGION, live_sandbox  # noqa: F401 - a fixture
from tests.environments.runs.states import OTHER_LINEAGE, body, thing

pytestmark = pytest.mark.django_db

WRITER = store.Writer("a run")


class Bucket:
    """A bucket of an account that nobody has used before."""

    def __init__(self, sandbox: Any, account: str, name: str) -> None:
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "sandbox"}
        self.s3 = boto3.client("s3", endpoint_url=sandbox.url, region_name=REGION, **keys)
        self.name = name

    def create(self) -> None:
        self.s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})

    @property
    def keys(self) -> list[str]:
        return sorted(row["Key"] for row in self.s3.list_objects_v2(Bucket=self.name).get("Contents", []))

    def content(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read())

    def settle(self) -> None:
        """As a bucket for secrets should be."""
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        self.s3.put_public_access_block(
            Bucket=self.name, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True)
        )


@pytest.fixture
def bucket(live_sandbox, settings) -> Bucket:  # noqa: F811
    settings.SANDBOX_URL = live_sandbox.url
    forget_clients()
    number = f"{uuid4().int % 10**12:012d}"
    made = Bucket(live_sandbox, number, f"states-{uuid4().hex[:12]}")
    made.account = number
    made.create()
    yield made
    forget_clients()


@pytest.fixture
def place(tenant, bucket) -> Environment:
    account = AwsAccount.objects.create(
        tenant=tenant, name="main", account_id=bucket.account, state_bucket=bucket.name
    )
    return Environment.objects.create(
        tenant=tenant, slug="prod", name="prod", account=account, blueprint="steps", region=REGION
    )


def write(place, serial: int, **more: Any) -> StateVersion:
    """A state as a run writes it: under the lock."""
    store.lock(place, {"ID": "one"}, writer=WRITER, by=SYSTEM)
    version = store.write(
        place, body(thing("a"), serial=serial, **more), lock_id="one", writer=WRITER, by=SYSTEM
    )
    store.unlock(place, lock_id="one", writer=WRITER, by=SYSTEM)
    return version


def test_every_version_is_copied_plain_and_in_order(place, bucket):
    versions = [write(place, serial) for serial in (1, 4, 5)]
    assert StateCopy.objects.filter(copied_at=None).count() == 3
    copying.copy_all(place.pk)
    names = [f"gatehouse/triflow/prod/{v.number:06d}-{v.serial:08d}-{v.md5[:8]}.tfstate" for v in versions]
    assert bucket.keys == names
    for version, name in zip(versions, names, strict=True):
        assert bucket.content(name) == bytes(version.content)
    head = bucket.s3.head_object(Bucket=bucket.name, Key=names[-1])
    assert head["ServerSideEncryption"] == "AES256"
    assert head["Metadata"] == {"lineage": versions[-1].lineage, "serial": "5", "md5": versions[-1].md5}
    assert StateCopy.objects.filter(copied_at=None).count() == 0


def test_a_copy_is_promised_with_the_version_or_not_at_all(place, monkeypatch):
    def broken(*_args: Any, **_named: Any) -> None:
        raise RuntimeError("after the promise")

    monkeypatch.setattr(store, "record", broken)
    StateLock.objects.create(environment=place, lock_id="one", holder="a run")
    with pytest.raises(RuntimeError), transaction.atomic():
        store.write(place, body(thing("a")), lock_id="one", writer=WRITER, by=SYSTEM)
    assert not StateVersion.objects.exists()
    assert not StateCopy.objects.exists()


def test_without_a_bucket_there_is_none(place):
    AwsAccount.objects.update(state_bucket="")
    write(Environment.objects.get(), 1)
    copying.catch_up()
    assert not StateCopy.objects.exists()


def test_a_bucket_that_is_named_later_gets_the_newest_and_another_one_too(place, bucket):
    AwsAccount.objects.update(state_bucket="")
    fresh = Environment.objects.get()
    for serial in (1, 2):
        write(fresh, serial)
    AwsAccount.objects.update(state_bucket=bucket.name)
    copying.catch_up()
    copying.catch_up()
    copy = StateCopy.objects.get()
    assert (copy.version.number, copy.bucket) == (2, bucket.name)
    copying.copy_all(place.pk)
    assert len(bucket.keys) == 1
    AwsAccount.objects.update(state_bucket="another-bucket")
    copying.catch_up()
    copy.refresh_from_db()
    assert (copy.bucket, copy.copied_at) == ("another-bucket", None)
    assert copy.due_at is not None


def test_what_is_due_is_sent_once_and_again_when_lost(place, bucket, monkeypatch):
    sent = []
    monkeypatch.setattr(
        copying.current_app, "send_task", lambda name, args, queue: sent.append((name, args, queue))
    )
    write(place, 1)
    copying.send_due()
    copying.send_due()
    assert sent == [("runs.copy_states", [place.pk], "housekeeping")]
    StateCopy.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    copying.send_due()
    assert len(sent) == 2
    copying.copy_all(place.pk)
    copying.copy_all(place.pk)
    StateCopy.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    copying.send_due()
    assert len(sent) == 2


def test_a_failure_is_kept_told_tried_again_and_recorded_once(place, bucket, sign_in, admin):
    AwsAccount.objects.update(state_bucket="not-there-yet-4711")
    fresh = Environment.objects.get()
    first, second = write(fresh, 1), write(fresh, 2)
    for _time in range(3):
        copying.copy_all(place.pk)
    copy = StateCopy.objects.get(version=first)
    assert copy.attempts == 3
    assert "does not exist" in copy.error
    assert timezone.now() + timedelta(seconds=60) < copy.due_at < timezone.now() + timedelta(seconds=300)
    # In order: the second waits for the first.
    assert StateCopy.objects.get(version=second).attempts == 0
    assert AuditEvent.objects.filter(action="state.copy_failed").count() == 1
    page = sign_in(admin).get(reverse("runs:state_versions", args=["triflow", "prod"])).content.decode()
    assert "not copied yet" in page
    assert "does not exist" in page
    assert "waiting" in page
    bucket.name = "not-there-yet-4711"
    bucket.create()
    copying.copy_all(place.pk)
    assert len(bucket.keys) == 2
    assert AuditEvent.objects.filter(action="state.copy").count() == 1
    page = sign_in(admin).get(reverse("runs:state_versions", args=["triflow", "prod"])).content.decode()
    assert "s3://not-there-yet-4711/gatehouse/triflow/prod/000002-" in page


def test_a_missing_permission_is_named(place, monkeypatch):
    def refuse(*_args: Any, **_named: Any) -> None:
        raise AwsError(
            "The permission s3:PutObject is missing", code="AccessDenied", permanent=True,
            hint="Add s3:PutObject to the policy of the role.", action="s3:PutObject",
        )  # fmt: skip

    write(place, 1)
    monkeypatch.setattr(copying, "put_once", refuse)
    copying.copy_all(place.pk)
    assert "Add s3:PutObject" in StateCopy.objects.get().error


def test_another_account_gets_nothing(place, bucket, monkeypatch):
    """The role leads elsewhere, or the bucket's name was taken by somebody else's account."""

    def elsewhere(access: Any) -> None:
        raise AwsError("These credentials belong to account 1", code="WrongAccount", permanent=True)

    write(place, 1)
    monkeypatch.setattr(copying, "verify_identity", elsewhere)
    copying.copy_all(place.pk)
    assert bucket.keys == []
    asked = []
    monkeypatch.undo()
    from portal.aws import buckets

    real = buckets.call
    monkeypatch.setattr(buckets, "call", lambda *a, **named: asked.append(named) or real(*a, **named))
    put = buckets.put_once(copying.access_to(place.account, REGION), bucket.name, "k", b"{}", {"md5": "0"})
    assert put
    assert all(named["ExpectedBucketOwner"] == bucket.account for named in asked)


def test_a_copy_that_is_there_is_never_written_over(place, bucket):
    version = write(place, 1)
    key = copies.key_of(place, version)
    bucket.s3.put_object(Bucket=bucket.name, Key=key, Body=b"by an earlier worker that died")
    copying.copy_all(place.pk)
    assert bucket.content(key) == b"by an earlier worker that died"
    assert StateCopy.objects.get().copied_at is not None


# --- after a restore ------------------------------------------------------------------------------


@pytest.fixture
def lost(place, bucket) -> Environment:
    """The bucket has versions 1 to 3; the restored portal knows 1, and doubts it."""
    for serial in (1, 2, 7):
        write(place, serial)
    copying.copy_all(place.pk)
    StateCopy.objects.filter(version__number__gt=1).delete()
    StateVersion.objects.filter(number__gt=1).delete()
    with transaction.atomic():
        doubts.raise_all(as_of="2026-11-01", by=SYSTEM)
    return Environment.objects.select_related("tenant", "account").get()


def page_of(client, **data):
    url = reverse("runs:state_recover", args=["triflow", "prod"])
    return client.post(url, data) if data else client.get(url)


def test_the_newer_copy_is_offered_and_taken(lost, bucket, sign_in, admin):
    client = sign_in(admin)
    state_page = client.get(reverse("runs:state_versions", args=["triflow", "prod"])).content.decode()
    assert "The portal was restored from its backup of 2026-11-01" in state_page
    assert reverse("runs:state_recover", args=["triflow", "prod"]) in state_page
    text = page_of(client).content.decode()
    newest = bucket.keys[-1]
    assert text.index(newest) < text.index(bucket.keys[1])
    assert "not newer than the backup" in text
    answer = page_of(client, key=newest)
    assert answer.status_code == 302
    version = StateVersion.objects.newest()
    assert (version.number, version.serial) == (2, 7)
    assert bytes(version.content) == bucket.content(newest)
    assert not StateLock.objects.exists()
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"state.doubt", "state.recover", "state.write", "state.force_unlock"} <= actions
    # Its own copy is written beside the lost ones, not over them.
    copying.copy_all(lost.pk)
    assert len(bucket.keys) == 4
    # A second press: nothing is in doubt any more.
    assert page_of(client, key=newest).status_code == 409


def test_who_may_not_recover(lost, bucket, operator, viewer, outsider, client, sign_in):
    key = bucket.keys[-1]
    url = reverse("runs:state_recover", args=["triflow", "prod"])
    for user in (operator, viewer):
        assert page_of(sign_in(user), key=key).status_code == 403
        assert key not in page_of(sign_in(user)).content.decode()
        with pytest.raises(NotAllowed):
            recovering.recover(by=by(user), environment=lost, key=key)
    assert page_of(sign_in(outsider), key=key).status_code == 404
    assert client.get(url).status_code == 302
    assert sign_in(operator).put(url).status_code == 405
    assert StateVersion.objects.count() == 1
    assert AuditEvent.objects.filter(action="state.recover", outcome="refused").count() == 4


def test_only_what_goes_on_from_the_kept_state_is_taken(lost, bucket, admin):
    folder = "gatehouse/triflow/prod/"
    for key, content, refusal in [
        (
            f"{folder}000009-00000009-00000000.tfstate",
            body(thing("a"), serial=9, lineage=OTHER_LINEAGE),
            "lineage",
        ),
        (f"{folder}000009-00000000-00000000.tfstate", body(thing("a"), serial=0), "older"),
        (f"{folder}000009-00000008-00000000.tfstate", b"{}", ""),
        ("gatehouse/onno/prod/000009-00000009-00000000.tfstate", body(serial=9), "no copy"),
        (f"{folder}../../onno/000009-00000009-00000000.tfstate", body(serial=9), "no copy"),
    ]:
        if key.startswith(folder) and ".." not in key:
            bucket.s3.put_object(Bucket=bucket.name, Key=key, Body=content)
        with pytest.raises((Conflict, InvalidInput)) as refused:
            recovering.recover(by=by(admin), environment=lost, key=key)
        assert refusal in refused.value.message
    assert StateVersion.objects.count() == 1
    assert StateLock.objects.exists()


def test_without_a_doubt_it_is_an_import_and_passes_the_gates(lost, bucket, admin):
    store.force_unlock(lost, by=by(admin), reason="it is what stands there")
    with pytest.raises(Conflict, match="nothing is in doubt"):
        recovering.recover(by=by(admin), environment=lost, key=bucket.keys[-1])
    StateLock.objects.create(environment=lost, lock_id="x", holder="a run")
    with pytest.raises(Conflict, match="nothing is in doubt"):
        recovering.recover(by=by(admin), environment=lost, key=bucket.keys[-1])


def test_the_command_lists_and_takes_the_newest(lost, bucket):
    from tests.portal.backup.conftest import type_

    told = type_("recover_state", "triflow.prod")
    assert told.count("newer  ") == 2
    assert "Nothing was taken" in told
    assert StateLock.objects.exists()
    assert "version 2 now" in type_("recover_state", "triflow.prod", "--newest")
    assert StateVersion.objects.newest().serial == 7


# --- the bucket itself ----------------------------------------------------------------------------


def test_a_bucket_that_is_not_fit_for_secrets_is_warned_of(tenant, bucket, admin, sign_in):
    client = sign_in(admin)
    form = {"name": "main", "account_id": bucket.account, "kind": "sandbox", "default_region": REGION}
    account = AwsAccount.objects.create(tenant=tenant, name="main", account_id=bucket.account)
    url = f"/tenants/triflow/accounts/{account.pk}/"
    text = client.post(url, {**form, "state_bucket": bucket.name}, follow=True).content.decode()
    assert "does not keep versions" in text
    assert "does not block public access" in text
    assert AwsAccount.objects.get().state_bucket == bucket.name
    bucket.settle()
    text = client.post(url, {**form, "state_bucket": bucket.name}, follow=True).content.decode()
    assert "does not keep versions" not in text
    assert "public" not in text
    text = client.post(url, {**form, "state_bucket": "not-there-4711"}, follow=True).content.decode()
    assert "There is no bucket not-there-4711" in text
    assert "Use the bucket" in client.post(url, {**form, "state_bucket": "No Bucket"}).content.decode()
    assert "in clear" in client.get(url).content.decode()


def test_a_sandbox_that_is_away_is_no_reason_to_fail(tenant, admin, monkeypatch):
    from environments import accounts

    def away(*_args: Any) -> None:
        raise AwsError("AWS could not be reached", code="Unreachable", permanent=False)

    monkeypatch.setattr(accounts, "shortcomings", away)
    account = AwsAccount(tenant=tenant, name="main", account_id="210000000002", state_bucket="states")
    assert accounts.bucket_shortcomings(account) == ["AWS could not be reached"]
    assert issubclass(AwsError, GatehouseError)
