"""The smaller additions, each by what a client sees."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.portal.sandbox.conftest import ClientMaker

PLAN = {"BackupPlanName": "weekly", "Rules": [{"RuleName": "sunday", "TargetBackupVaultName": "main"}]}
STATEMENT = {"Sid": "all", "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
QUEUE_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})
LOCATION = {"LocationConstraint": "ap-northeast-2"}


def test_backup_selections(client: ClientMaker) -> None:
    backup = client("backup", account="610000000001")
    plan_id = backup.create_backup_plan(BackupPlan=PLAN)["BackupPlanId"]
    wanted = {"SelectionName": "databases", "IamRoleArn": "arn:aws:iam::1:role/b", "Resources": ["arn:x"]}
    made = backup.create_backup_selection(BackupPlanId=plan_id, BackupSelection=wanted)
    found = backup.get_backup_selection(BackupPlanId=plan_id, SelectionId=made["SelectionId"])
    assert found["BackupSelection"] == wanted
    (listed,) = backup.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"]
    assert (listed["SelectionName"], listed["SelectionId"]) == ("databases", made["SelectionId"])
    backup.delete_backup_selection(BackupPlanId=plan_id, SelectionId=made["SelectionId"])
    assert backup.list_backup_selections(BackupPlanId=plan_id)["BackupSelectionsList"] == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        backup.get_backup_selection(BackupPlanId=plan_id, SelectionId=made["SelectionId"])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        backup.create_backup_selection(BackupPlanId="none", BackupSelection=wanted)


def test_a_changed_backup_plan_keeps_its_identity(client: ClientMaker) -> None:
    backup = client("backup", account="610000000002")
    made = backup.create_backup_plan(BackupPlan=PLAN, BackupPlanTags={"Owner": "us"})
    rules = [{**PLAN["Rules"][0], "ScheduleExpression": "cron(0 1 ? * SUN *)"}]  # type: ignore[dict-item]
    plan_id = made["BackupPlanId"]
    changed = backup.update_backup_plan(BackupPlanId=plan_id, BackupPlan={**PLAN, "Rules": rules})
    assert changed["BackupPlanArn"] == made["BackupPlanArn"]
    assert changed["VersionId"] != made["VersionId"]
    found = backup.get_backup_plan(BackupPlanId=plan_id)["BackupPlan"]
    assert found["Rules"][0]["ScheduleExpression"] == "cron(0 1 ? * SUN *)"
    assert backup.list_tags(ResourceArn=made["BackupPlanArn"])["Tags"] == {"Owner": "us"}


def test_budgets(client: ClientMaker) -> None:
    account = "610000000003"
    budgets = client("budgets", account=account)
    limit = {"Amount": "100", "Unit": "USD"}
    budget = {"BudgetName": "main", "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"}
    rule = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    somebody = [{"SubscriptionType": "EMAIL", "Address": "finance@example.com"}]
    budgets.create_budget(
        AccountId=account,
        Budget=budget,
        NotificationsWithSubscribers=[{"Notification": rule, "Subscribers": somebody}],
        ResourceTags=[{"Key": "Owner", "Value": "us"}],
    )
    one = {"AccountId": account, "BudgetName": "main"}
    before = budgets.describe_budget(**one)["Budget"]
    budgets.update_budget(
        AccountId=account, NewBudget={**budget, "BudgetLimit": {"Amount": "200", "Unit": "USD"}}
    )
    after = budgets.describe_budget(**one)["Budget"]
    assert after["BudgetLimit"]["Amount"] == "200"
    assert after["TimePeriod"] == before["TimePeriod"]
    told = budgets.describe_subscribers_for_notification(**one, Notification=rule)
    assert told["Subscribers"] == somebody
    arn = f"arn:aws:budgets::{account}:budget/main"
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "Stage", "Value": "production"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["Owner"])
    tags = budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
    assert tags == [{"Key": "Stage", "Value": "production"}]
    with pytest.raises(ClientError, match="NotFoundException"):
        budgets.update_budget(AccountId=account, NewBudget={**budget, "BudgetName": "none"})


def test_cost_allocation_tags(client: ClientMaker) -> None:
    ce = client("ce", account="610000000004")
    ce.update_cost_allocation_tags_status(
        CostAllocationTagsStatus=[
            {"TagKey": "Project", "Status": "Active"},
            {"TagKey": "Old", "Status": "Inactive"},
        ]
    )
    (active,) = ce.list_cost_allocation_tags(Status="Active")["CostAllocationTags"]
    assert active["TagKey"] == "Project"
    assert len(ce.list_cost_allocation_tags()["CostAllocationTags"]) == 2
    other = client("ce", account="610000000005")
    assert other.list_cost_allocation_tags()["CostAllocationTags"] == []


def test_tags_of_scalable_targets(client: ClientMaker) -> None:
    account = "610000000006"
    ecs = client("ecs", account=account)
    ecs.create_cluster(clusterName="main")
    container = {"name": "app", "image": "x", "memory": 1}
    ecs.register_task_definition(family="app", containerDefinitions=[container])
    ecs.create_service(cluster="main", serviceName="web", taskDefinition="app", desiredCount=1)
    scaling = client("application-autoscaling", account=account)
    arn = scaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId="service/main/web",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=1,
        MaxCapacity=3,
        Tags={"Owner": "us", "Stage": "old"},
    )["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"Stage": "new"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["Owner"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"Stage": "new"}


def test_composite_alarms(client: ClientMaker) -> None:
    cloudwatch = client("cloudwatch", account="610000000007")
    rule = "ALARM(one) OR ALARM(two)"
    cloudwatch.put_composite_alarm(AlarmName="any", AlarmRule=rule, AlarmActions=["arn:x"])
    answer = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    (alarm,) = answer["CompositeAlarms"]
    assert alarm["AlarmRule"] == rule
    assert answer["MetricAlarms"] == []


def test_queue_policies(client: ClientMaker) -> None:
    sqs = client("sqs", account="610000000008")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    target = attributes(sqs, dead)["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 3}, separators=(",", ":"))
    given = {"RedrivePolicy": redrive, "Policy": QUEUE_POLICY}
    url = sqs.create_queue(QueueName="main", Attributes=given)["QueueUrl"]
    assert attributes(sqs, url)["RedrivePolicy"] == redrive
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    kept = json.loads(attributes(sqs, url)["Policy"])
    assert kept["Statement"][0]["Sid"] == "all", "another change must not wipe the policy"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in attributes(sqs, url)
    assert "RedriveAllowPolicy" not in attributes(sqs, dead)
    allowed = '{"redrivePermission":"denyAll"}'
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": allowed})
    assert attributes(sqs, dead)["RedriveAllowPolicy"] == allowed
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": ""})
    assert "RedriveAllowPolicy" not in attributes(sqs, dead)


def test_long_polls_are_cut_short(client: ClientMaker) -> None:
    sqs = client("sqs", account="610000000016")
    url = sqs.create_queue(QueueName="empty")["QueueUrl"]
    began = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
    assert time.monotonic() - began < 8


def attributes(sqs: Any, url: str) -> dict[str, str]:
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def test_a_conditional_deny_does_not_lock_a_bucket(client: ClientMaker) -> None:
    s3 = client("s3", account="610000000009")
    s3.create_bucket(Bucket="only-tls", CreateBucketConfiguration=LOCATION)
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::only-tls/*"}
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}
    s3.put_bucket_policy(Bucket="only-tls", Policy=json.dumps(policy))
    s3.put_object(Bucket="only-tls", Key="x", Body=b"x")
    policy["Statement"] = [statement]
    s3.put_bucket_policy(Bucket="only-tls", Policy=json.dumps(policy))
    with pytest.raises(ClientError, match="403"):
        s3.put_object(Bucket="only-tls", Key="x", Body=b"x")


def test_replication_rules_come_back(client: ClientMaker) -> None:
    s3 = client("s3", account="610000000010")
    for bucket in ("from-here", "to-there"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=LOCATION)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "documents",
        "Status": "Enabled",
        "Priority": 7,
        "Filter": {"Prefix": "documents/"},
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": {"Bucket": "arn:aws:s3:::to-there"},
    }
    configuration = {"Role": "arn:aws:iam::610000000010:role/r", "Rules": [rule]}
    s3.put_bucket_replication(Bucket="from-here", ReplicationConfiguration=configuration)
    found = s3.get_bucket_replication(Bucket="from-here")["ReplicationConfiguration"]["Rules"]
    assert found == [rule]
    with pytest.raises(ClientError, match="ReplicationConfigurationNotFoundError"):
        s3.get_bucket_replication(Bucket="to-there")


def test_managed_cache_policies(client: ClientMaker) -> None:
    cloudfront = client("cloudfront", account="610000000011")
    items = cloudfront.list_cache_policies(Type="managed")["CachePolicyList"]["Items"]
    names = {item["CachePolicy"]["CachePolicyConfig"]["Name"]: item["CachePolicy"]["Id"] for item in items}
    found = cloudfront.get_cache_policy(Id=names["Managed-CachingDisabled"])["CachePolicy"]
    assert found["CachePolicyConfig"]["MaxTTL"] == 0
    with pytest.raises(ClientError, match="NoSuchCachePolicy"):
        cloudfront.get_cache_policy(Id="none")


def test_detailed_monitoring(client: ClientMaker) -> None:
    ec2 = client("ec2", account="610000000012")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    for act, state in ((ec2.monitor_instances, "enabled"), (ec2.unmonitor_instances, "disabled")):
        answer = act(InstanceIds=[instance])["InstanceMonitorings"]
        assert answer == [{"InstanceId": instance, "Monitoring": {"State": state}}]
        found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        assert found["Monitoring"]["State"] == state


def test_state_machine_definitions_are_checked(client: ClientMaker) -> None:
    machines = client("stepfunctions", account="610000000013")
    assert machines.validate_state_machine_definition(definition="{}")["result"] == "OK"
    assert machines.validate_state_machine_definition(definition="{")["result"] == "FAIL"


def test_certificates_are_issued_quickly(client: ClientMaker) -> None:
    acm = client("acm", account="610000000014")
    arn = acm.request_certificate(DomainName="example.com", ValidationMethod="DNS")["CertificateArn"]
    deadline = time.monotonic() + 10
    while acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] != "ISSUED":
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_managed_policies_can_be_attached(client: ClientMaker) -> None:
    iam = client("iam", account="610000000015")
    iam.create_role(RoleName="task", AssumeRolePolicyDocument="{}")
    arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    iam.attach_role_policy(RoleName="task", PolicyArn=arn)
    assert iam.list_attached_role_policies(RoleName="task")["AttachedPolicies"][0]["PolicyArn"] == arn
