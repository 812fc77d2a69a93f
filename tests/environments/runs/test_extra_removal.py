"""Removing an extra is a change: exactly that goes, nothing else, and only if it still is what was approved."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from environments.changes import actions as changes
from environments.changes import execution
from environments.changes.lifecycle import Status
from environments.changes.models import Change, Claim
from environments.models import Environment
from environments.runs.live import actions as live_actions
from environments.runs.live import removal
from environments.runs.models import LiveCheck, LiveExtra
from portal.accounts.principals import worker
from portal.core.errors import Conflict
from tests.cast import by
from tests.environments.runs.scene import ADMINISTRATOR, READ_ONLY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(removal, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(removal, "VERIFY_SECONDS_OTHERS", 0.2)
    monkeypatch.setitem(removal.VERIFY_SECONDS, "database", 5)


def visit(change):
    """One visit of a worker."""
    execution.advance(str(change.uuid), by=worker("test worker"))
    return Change.objects.for_lists().get(pk=change.pk)


def gated(scene):
    """Production: one approver is asked."""
    Environment.objects.filter(pk=scene.environment.pk).update(environment_class="production")
    scene.environment.refresh_from_db()


def rules(scene, group):
    found = scene.client("ec2").describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )
    return {(row.get("CidrIpv4"), row["FromPort"]) for row in found["SecurityGroupRules"]}


def test_exactly_that_rule_goes_after_the_votes(scene, operator, approver):
    gated(scene)
    group = scene.group()
    scene.write_state()
    scene.open_port(group)
    # The same port from elsewhere, and another port from there, in one rule of the console's.
    scene.open_port(group, 5432, "10.1.0.0/16")
    scene.open_port(group, 443)
    row = scene.look()[0]
    change = live_actions.remove(by=by(operator), extra=row, reason="nobody knows it")
    with pytest.raises(Conflict, match="under way"):
        live_actions.remove(by=by(operator), extra=row)
    change = visit(change)
    assert change.status == Status.AWAITING_APPROVAL
    assert change.proposal.facts["touches_network"] == ["aws_security_group.bare"]
    assert change.proposal.facts["removes"]["rule_id"] in change.proposal.summary
    assert len(rules(scene, group)) == 3
    changes.approve(by=by(approver), change=change, digest=change.proposal.digest)
    change = visit(change)
    assert (change.status, change.error_message) == (Status.SUCCEEDED, "")
    assert rules(scene, group) == {("10.1.0.0/16", 5432), ("0.0.0.0/0", 443)}
    row.refresh_from_db()
    assert row.gone_at is not None
    assert LiveCheck.objects.get().due_at <= timezone.now()
    assert not Claim.objects.active().exists()
    with pytest.raises(Conflict, match="gone"):
        live_actions.remove(by=by(operator), extra=row)


def test_what_was_replaced_meanwhile_is_not_removed(scene, operator, approver):
    gated(scene)
    group, role = scene.group(), scene.role()
    scene.write_state()
    scene.open_port(group)
    scene.client("iam").attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    administrator, port = scene.look()
    one, two = (live_actions.remove(by=by(operator), extra=row) for row in (port, administrator))
    one, two = visit(one), visit(two)
    assert two.proposal.facts["touches_iam"] == ["aws_iam_role.bare"]
    for change in (one, two):
        changes.approve(by=by(approver), change=change, digest=change.proposal.digest)
    # Taken away and opened again by somebody: it looks alike, and is another rule than the one approved.
    scene.client("ec2").revoke_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="0.0.0.0/0"
    )
    scene.open_port(group)
    one = visit(one)
    assert (one.status, one.error_kind) == (Status.FAILED, "tool")
    assert "nothing was removed" in one.error_message
    assert rules(scene, group) == {("0.0.0.0/0", 5432)}
    # Terraform took the attachment over meanwhile: it is no extra any more, and stays.
    scene.managed("aws_iam_role_policy_attachment.x", role=role, policy_arn=ADMINISTRATOR)
    scene.write_state()
    two = visit(two)
    assert two.status == Status.SUCCEEDED
    attached = scene.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [ADMINISTRATOR]


def test_every_kind_of_extra_goes_alone(scene, operator):
    role, bucket, database = scene.role(), scene.bucket(), scene.database()
    switches = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    scene.managed("aws_s3_bucket_public_access_block.x", bucket=bucket, **dict.fromkeys(switches, True))
    scene.managed("aws_iam_role_policy_attachment.x", role=role, policy_arn=READ_ONLY)
    scene.write_state()
    iam, s3, rds = scene.client("iam"), scene.client("s3"), scene.client("rds")
    resource = f"arn:aws:s3:::{bucket}/*"
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    one = {"Version": "2012-10-17", "Statement": [{**everybody, "Sid": "One"}, {**everybody, "Sid": "Two"}]}
    mixed = {"BlockPublicAcls": True, "BlockPublicPolicy": False, "IgnorePublicAcls": True}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(one))
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={**mixed, "RestrictPublicBuckets": False}
    )
    iam.attach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
    debug = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for name in ("debug", "kept"):
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(debug))
    rds.modify_db_instance(DBInstanceIdentifier=database, PubliclyAccessible=True, ApplyImmediately=True)
    wanted = {"inline policy debug", "policy statement One", "restrict_public_buckets is off", "publicly"}
    rows = [row for row in scene.look() if row.key.startswith(tuple(wanted))]
    assert len(rows) == len(wanted)
    for row in rows:
        change = visit(visit(live_actions.remove(by=by(operator), extra=row)))
        assert (change.status, change.error_message) == (Status.SUCCEEDED, ""), row.key
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["kept"]
    assert len(iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]) == 1
    statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["Two"]
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert block == {**mixed, "RestrictPublicBuckets": True}
    assert not rds.describe_db_instances(DBInstanceIdentifier=database)["DBInstances"][0][
        "PubliclyAccessible"
    ]


def test_what_is_gone_already_is_no_change(scene, operator):
    group = scene.group()
    scene.write_state()
    scene.open_port(group)
    (row,) = scene.look()
    scene.client("ec2").revoke_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="0.0.0.0/0"
    )
    change = visit(live_actions.remove(by=by(operator), extra=row))
    assert change.status == Status.NO_CHANGES


def test_what_comes_back_at_once_is_not_called_gone(scene, operator, monkeypatch):
    group = scene.group()
    scene.write_state()
    scene.open_port(group)
    (row,) = scene.look()
    change = visit(live_actions.remove(by=by(operator), extra=row))
    monkeypatch.setattr(removal, "take_away", lambda access, extra: True)
    change = visit(change)
    assert change.status == Status.REGRESSED
    row.refresh_from_db()
    assert row.gone_at is None


def test_another_account_is_never_touched(scene, operator, approver):
    gated(scene)
    group = scene.group()
    scene.write_state()
    scene.open_port(group)
    (row,) = scene.look()
    change = visit(live_actions.remove(by=by(operator), extra=row))
    changes.approve(by=by(approver), change=change, digest=change.proposal.digest)
    account = scene.environment.account
    account.account_id = "454545454545"
    account.save()
    change = visit(change)
    assert change.status == Status.NO_CHANGES
    assert rules(scene, group) == {("0.0.0.0/0", 5432)}


def test_a_rule_of_terraform_that_somebody_altered_is_reverted_not_removed(scene, operator):
    group = scene.group()
    made = scene.client("ec2").authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="10.0.0.0/8"
    )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    rule = {"ip_protocol": "tcp", "from_port": 5432, "to_port": 5432, "cidr_ipv4": "10.0.0.0/8"}
    address = "aws_vpc_security_group_ingress_rule.x"
    scene.managed(address, id=made, security_group_rule_id=made, security_group_id=group, **rule)
    scene.write_state()
    assert scene.look() == []
    wider = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIpv4": "0.0.0.0/0"}
    scene.by_hand("ec2").modify_security_group_rules(
        GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": made, "SecurityGroupRule": wider}]
    )
    (row,) = scene.look()
    assert (row.risk, row.detail["altered"]) == (96, address)
    with pytest.raises(Conflict, match="revert its drift"):
        live_actions.remove(by=by(operator), extra=row)
    assert LiveExtra.objects.get().gone_at is None
