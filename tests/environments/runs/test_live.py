"""Looking at what Terraform does not see: the two openings of trap 9, who made them, and what a failed look keeps."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from environments.changes.models import Change
from environments.models import AwsAccount, Environment, Resource
from environments.runs import housekeeping
from environments.runs.live import checks, deeds, groups, text
from environments.runs.live import look as live_look
from environments.runs.live import trail as live_trail
from environments.runs.live.trail import Adder
from environments.runs.models import LiveCheck, LiveExtra
from portal.audit.models import AuditEvent
from portal.aws.errors import AwsError
from tests.environments.runs.crafted import planned
from tests.environments.runs.scene import ADMINISTRATOR, READ_ONLY

pytestmark = pytest.mark.django_db
STATEMENT = {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}
NOTHING = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})


def test_the_database_port_and_the_administrator_show_up_with_who_did_it(scene):
    group, role = scene.group(), scene.role()
    scene.write_state()
    assert scene.look() == []
    scene.open_port(group)
    scene.by_hand("iam", "lee").attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    # Terraform opens another port later: the newest event on the group is not who opened the first.
    scene.open_port(group, 8443, "10.1.0.0/16", person="terraform")
    administrator, port, quiet = scene.look()
    assert (administrator.resource_id, administrator.key, administrator.risk) == (role, ADMINISTRATOR, 100)
    assert (administrator.added_by, administrator.kind) == ("lee", "policy_attachment")
    assert (port.resource_id, port.key) == (group, "ingress from 0.0.0.0/0 tcp 5432")
    assert (port.added_by, port.risk) == ("kim", 96)
    assert port.added_at is not None
    assert (quiet.added_by, quiet.risk < 60) == ("terraform", True)
    assert "5432" in text.title(port)
    check = LiveCheck.objects.get()
    assert (check.error, check.lease_until) == ("", None)
    assert check.due_at > timezone.now() + timedelta(minutes=30)
    # Undone by hand, it is gone; done again, it is another row that somebody has to decide about anew.
    scene.client("iam").detach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    assert [row.pk for row in scene.look()] == [port.pk, quiet.pk]
    assert LiveExtra.objects.get(pk=administrator.pk).gone_at is not None
    scene.by_hand("iam", "lee").attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    assert scene.look()[0].pk not in {administrator.pk, port.pk, quiet.pk}
    events = AuditEvent.objects.filter(action="live.checked").order_by("id")
    assert [event.after["extras"] for event in events] == [0, 3, 2, 3]
    assert events[1].after["new"] == sorted([ADMINISTRATOR, port.key, quiet.key])


def test_a_state_that_took_them_in_by_a_refresh_does_not_know_them(scene):
    """Computed attributes hold whatever AWS had at the last refresh: what the blueprint writes is what counts."""
    opened = {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}
    bare = scene.group(ingress=[opened])
    # The other one writes its rules inside: what its state has is what was meant.
    written = scene.group(
        "w", "aws_security_group.written_inside", ingress=[{**opened, "cidr_blocks": ["10.0.0.0/8"]}]
    )
    role = scene.role(managed_policy_arns=[ADMINISTRATOR], inline_policy=[{"name": "debug", "policy": "{}"}])
    listed = scene.role("aws_iam_role.listed", managed_policy_arns=[READ_ONLY])
    scene.write_state()
    scene.open_port(bare, 443)
    scene.open_port(written, 443, "10.0.0.0/8")
    iam = scene.client("iam")
    iam.attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    iam.put_role_policy(RoleName=role, PolicyName="debug", PolicyDocument=NOTHING)
    iam.attach_role_policy(RoleName=listed, PolicyArn=READ_ONLY)
    found = {(row.resource_id, row.detail["what"]) for row in scene.look()}
    assert found == {(bare, "rule"), (role, "managed_policy"), (role, "inline_policy")}


def test_what_a_neighbour_of_the_account_manages_is_no_extra(scene):
    group, role = scene.group(), scene.role()
    scene.write_state()
    scene.open_port(group, 6379, "10.0.0.0/8")
    scene.client("iam").attach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
    assert len(scene.look()) == 2
    place = scene.environment
    neighbour = Environment.objects.create(
        tenant=place.tenant, slug="other", name="other", environment_class="staging", account=place.account
    )
    rule = {"security_group_id": group, "ip_protocol": "tcp", "from_port": 6379, "to_port": 6379}
    rows = {
        "aws_vpc_security_group_ingress_rule": {**rule, "cidr_ipv4": "10.0.0.0/8"},
        "aws_iam_role_policy_attachment": {"role": role, "policy_arn": READ_ONLY},
    }
    for type_, attributes in rows.items():
        Resource.objects.create(
            environment=neighbour, address=f"{type_}.x", type=type_, name="x", attributes=attributes
        )
    assert scene.look() == []
    # In another account the same names mean nothing.
    other = AwsAccount.objects.create(tenant=place.tenant, name="Other", account_id="121212121212")
    Environment.objects.filter(pk=neighbour.pk).update(account=other)
    assert len(scene.look()) == 2


def test_buckets_and_databases_that_were_opened(scene):
    bucket, database = scene.bucket(), scene.database()
    s3, rds = scene.by_hand("s3"), scene.by_hand("rds")
    block = {"block_public_acls": True, "block_public_policy": True, "ignore_public_acls": True}
    scene.managed(
        "aws_s3_bucket_public_access_block.this", bucket=bucket, restrict_public_buckets=True, **block
    )
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": f"arn:aws:s3:::{bucket}/*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    scene.managed("aws_s3_bucket_policy.this", bucket=bucket, policy=json.dumps(policy))
    scene.write_state()
    closed = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert scene.look() == []

    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={**closed, "RestrictPublicBuckets": False}
    )
    reading = {
        "Sid": "Everybody",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy["Statement"].append(reading)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    rds.modify_db_instance(DBInstanceIdentifier=database, PubliclyAccessible=True, ApplyImmediately=True)
    found = {row.detail["what"]: row for row in scene.look()}
    assert set(found) == {"bucket_policy", "block", "database"}
    assert {row.added_by for row in found.values()} == {"kim"}
    assert (found["bucket_policy"].risk, found["database"].risk) == (95, 92)
    assert found["block"].detail["switch"] == "restrict_public_buckets"
    assert all(text.title(row) and text.why(row) and deeds.deed(row) for row in found.values())
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    acl = {row.key for row in scene.look() if row.detail["what"] == "bucket_acl"}
    assert acl == {"access list: AllUsers READ"}


def test_a_policy_that_somebody_rewrote_is_another_extra(scene):
    role = scene.role()
    scene.write_state()
    iam = scene.by_hand("iam")
    statement = {"Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": "*"}
    reading = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName=role, PolicyName="debug", PolicyDocument=json.dumps(reading))
    (first,) = scene.look()
    LiveExtra.objects.update(adopted_at=timezone.now(), settled_by="Approver")
    reading["Statement"][0]["Action"] = "*"
    iam.put_role_policy(RoleName=role, PolicyName="debug", PolicyDocument=json.dumps(reading))
    (second,) = scene.look()
    assert (second.pk != first.pk, second.adopted_at, second.risk) == (True, None, 100)


def test_a_failed_look_keeps_the_rows_and_names_the_missing_permission(scene, monkeypatch):
    group, role = scene.group(), scene.role()
    scene.write_state()
    scene.open_port(group)
    scene.client("iam").attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    both = {row.pk for row in scene.look()}
    taken = LiveCheck.objects.get().taken_at

    def denied(landscape, reach):
        raise AwsError(
            "The permission iam:ListRolePolicies is missing",
            code="AccessDenied",
            permanent=True,
            hint="Add iam:ListRolePolicies to the policy of the role.",
        )
        yield

    monkeypatch.setitem(live_look.LOOKERS, LiveExtra.Kind.ATTACHMENT, denied)
    scene.client("ec2").revoke_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="0.0.0.0/0"
    )
    (kept,) = scene.look()
    # What could be read is new, what could not is as it was.
    assert kept.pk in both
    assert kept.resource_id == role
    check = LiveCheck.objects.get()
    assert "iam:ListRolePolicies" in check.error
    assert check.taken_at == taken
    assert AuditEvent.objects.filter(action="live.checked").order_by("id").last().outcome == "failed"

    # Nothing can be read at all: nothing is gone.
    monkeypatch.setattr(
        live_look,
        "verify_identity",
        lambda access: (_ for _ in ()).throw(AwsError("no way", code="x", permanent=True)),
    )
    assert [row.pk for row in scene.look()] == [kept.pk]
    assert "no way" in LiveCheck.objects.get().error
    monkeypatch.undo()
    assert scene.look()[0].pk == kept.pk
    assert LiveCheck.objects.get().error == ""


def test_a_look_during_an_apply_is_thrown_away(scene, operator, monkeypatch):
    """What an apply is making stands in AWS before it stands in the state."""
    group = scene.group()
    scene.write_state()
    scene.open_port(group)
    real = groups.extras

    def while_applying(landscape, reach):
        yield from real(landscape, reach)
        change = planned(scene.environment, operator, [])
        Change.objects.filter(pk=change.pk).update(
            status="succeeded", started_at=timezone.now(), finished_at=timezone.now()
        )

    monkeypatch.setitem(live_look.LOOKERS, LiveExtra.Kind.RULE, while_applying)
    assert scene.look() == []
    check = LiveCheck.objects.get()
    assert (check.taken_at, check.lease_until) == (None, None)
    assert check.due_at < timezone.now() + timedelta(minutes=2)

    def while_written(landscape, reach):
        yield from real(landscape, reach)
        scene.write_state()

    Change.objects.all().update(finished_at=timezone.now() - timedelta(hours=1))
    monkeypatch.setitem(live_look.LOOKERS, LiveExtra.Kind.RULE, while_written)
    assert scene.look() == []
    monkeypatch.setitem(live_look.LOOKERS, LiveExtra.Kind.RULE, real)
    assert len(scene.look()) == 1


def test_the_same_message_twice_looks_once_and_the_overtaken_says_nothing(scene, monkeypatch):
    scene.group()
    scene.write_state()
    count: list[int] = []

    def looking(landscape, reach):
        count.append(1)
        checks.check(scene.environment.pk)
        LiveCheck.objects.update(fence=99)
        yield from ()

    monkeypatch.setitem(live_look.LOOKERS, LiveExtra.Kind.RULE, looking)
    scene.look()
    assert len(count) == 1
    assert LiveCheck.objects.get().taken_at is None


def test_who_is_unknown_says_why(scene, monkeypatch):
    group = scene.group()
    scene.write_state()
    scene.open_port(group)
    denied = AwsError("The permission cloudtrail:LookupEvents is missing", code="x", permanent=True)

    def refused(*args):
        raise denied
        yield

    with monkeypatch.context() as patch:
        patch.setattr(live_trail.cloudtrail, "events_about", refused)
        (row,) = scene.look()
    assert row.added_by == ""
    assert "cloudtrail:LookupEvents" in text.unknown_why(row)
    # Asked again as soon as it may; and where CloudTrail tells nothing, that is said.
    (row,) = scene.look()
    assert row.added_by == "kim"
    LiveExtra.objects.all().delete()
    monkeypatch.setattr(live_trail, "added_by", lambda extra, reach: Adder(unknown=live_trail.TELLS_NOTHING))
    (row,) = scene.look()
    assert "90 days" in text.unknown_why(row)


def test_what_is_due(scene, operator, tenant):
    place = scene.environment
    now = timezone.now() + timedelta(seconds=5)
    assert [row.environment for row in checks.due(now)] == [place]
    running = planned(place, operator, [])
    Change.objects.filter(pk=running.pk).update(status="executing")
    assert checks.due(now) == []
    Change.objects.filter(pk=running.pk).update(status="failed")
    LiveCheck.objects.update(lease_until=now + timedelta(minutes=1))
    assert checks.due(now) == []
    LiveCheck.objects.update(lease_until=None)
    for field, value in (("environment_class", "local"), ("account", None), ("retired_at", now)):
        was = getattr(place, field)
        Environment.objects.filter(pk=place.pk).update(**{field: value})
        assert checks.due(now) == [], field
        Environment.objects.filter(pk=place.pk).update(**{field: was})
    assert len(checks.due(now)) == 1
    # Never applied, or destroyed: nothing to compare with.
    gone = planned(place, operator, [], mode="destroy")
    Change.objects.filter(pk=gone.pk).update(status="succeeded", finished_at=timezone.now())
    assert checks.due(now) == []


def test_it_is_sent_once_and_again_if_the_message_is_lost(scene, monkeypatch):
    sent = []
    monkeypatch.setattr(housekeeping.current_app, "send_task", lambda name, **how: sent.append((name, how)))
    housekeeping.send_live_checks()
    housekeeping.send_live_checks()
    assert sent == [("runs.check_live", {"args": [scene.environment.pk], "queue": "housekeeping"})]
    LiveCheck.objects.update(due_at=timezone.now())
    housekeeping.send_live_checks()
    assert len(sent) == 2


def test_a_role_that_is_gone_and_one_of_another_account_are_no_extras(scene):
    role, here = scene.role(), scene.role()
    iam = scene.client("iam")
    # A provider may reach another account: the namesake in this one is not what the state means.
    elsewhere = scene.resources.pop()["instances"][0]["attributes"]
    arn = f"arn:aws:iam::999999999999:role/{here}"
    scene.managed("aws_iam_role.elsewhere", **{**elsewhere, "arn": arn})
    scene.write_state()
    iam.attach_role_policy(RoleName=here, PolicyArn=ADMINISTRATOR)
    iam.delete_role(RoleName=role)
    assert scene.look() == []
    assert LiveCheck.objects.get().error == ""
