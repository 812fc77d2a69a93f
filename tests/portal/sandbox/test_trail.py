"""Who changed what, as CloudTrail tells it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.sandbox.testing import RunningSandbox
from tests.portal.sandbox.conftest import client_for, credentials_of


def looked_up(sandbox: RunningSandbox, account: str, **attributes: str) -> list[Any]:
    trail = client_for(sandbox, "cloudtrail", account=account)
    wanted = [{"AttributeKey": key, "AttributeValue": value} for key, value in attributes.items()]
    events: list[Any] = trail.lookup_events(LookupAttributes=wanted)["Events"]
    return events


def test_changes_are_recorded_with_who_and_what(sandbox: RunningSandbox) -> None:
    account = "710000000001"
    ec2 = client_for(sandbox, "ec2", **credentials_of(sandbox, account))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    began = datetime.now(UTC) - timedelta(minutes=1)
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=5432, ToPort=5432, CidrIp="0.0.0.0/0"
    )
    ec2.describe_security_groups(GroupIds=[group])
    (event,) = looked_up(sandbox, account, ResourceName=group)
    assert event["EventName"] == "AuthorizeSecurityGroupIngress"
    assert event["EventSource"] == "ec2.amazonaws.com"
    assert event["Username"] == "test"
    assert began < event["EventTime"] < datetime.now(UTC) + timedelta(minutes=1)
    record = json.loads(event["CloudTrailEvent"])
    assert record["userIdentity"]["arn"] == f"arn:aws:sts::{account}:assumed-role/portal/test"
    assert record["userIdentity"]["type"] == "AssumedRole"
    assert record["sourceIPAddress"] == "127.0.0.1"
    assert [found["EventName"] for found in looked_up(sandbox, account, ResourceName=vpc)] == [
        "CreateSecurityGroup"
    ]


def test_every_protocol_is_recorded(sandbox: RunningSandbox) -> None:
    account = "710000000002"
    client_for(sandbox, "ecs", account=account).create_cluster(clusterName="main")
    client_for(sandbox, "logs", account=account).create_log_group(logGroupName="/app")
    client_for(sandbox, "backup", account=account).create_backup_vault(BackupVaultName="main")
    client_for(sandbox, "s3", account=account).create_bucket(
        Bucket="recorded", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"}
    )
    client_for(sandbox, "s3", account=account).put_object(Bucket="recorded", Key="data", Body=b"x")
    client_for(sandbox, "ssm", account=account).put_parameter(Name="p", Value="secret", Type="SecureString")
    names = [event["EventName"] for event in looked_up(sandbox, account)]
    assert names == ["PutParameter", "CreateBucket", "CreateBackupVault", "CreateLogGroup", "CreateCluster"]
    assert looked_up(sandbox, account, EventName="CreateBucket")[0]["Resources"] == [
        {"ResourceName": "recorded"}
    ]
    assert "secret" not in json.dumps(looked_up(sandbox, account), default=str)
    assert looked_up(sandbox, account, ReadOnly="true") == []


def test_failed_calls_and_other_accounts_are_not_in_it(sandbox: RunningSandbox) -> None:
    account = "710000000003"
    ecs = client_for(sandbox, "ecs", account=account)
    try:
        ecs.delete_service(cluster="none", service="none")
    except ecs.exceptions.ClientError:
        pass
    else:
        raise AssertionError("there is no such cluster")
    assert looked_up(sandbox, account) == []


def test_global_services_are_found_in_virginia(sandbox: RunningSandbox) -> None:
    account = "710000000004"
    client_for(sandbox, "iam", account=account).create_user(UserName="somebody")
    assert looked_up(sandbox, account) == []
    credentials = {"aws_access_key_id": account, "aws_secret_access_key": "any", "region_name": "us-east-1"}
    import boto3

    trail = boto3.client("cloudtrail", endpoint_url=sandbox.url, **credentials)
    (event,) = trail.lookup_events()["Events"]
    assert (event["EventName"], event["Username"]) == ("CreateUser", "root")


def test_pages_and_times(sandbox: RunningSandbox) -> None:
    account = "710000000005"
    sns = client_for(sandbox, "sns", account=account)
    for number in range(7):
        sns.create_topic(Name=f"topic-{number}")
    trail = client_for(sandbox, "cloudtrail", account=account)
    first = trail.lookup_events(MaxResults=5)
    assert len(first["Events"]) == 5
    second = trail.lookup_events(MaxResults=5, NextToken=first["NextToken"])
    assert len(second["Events"]) == 2
    assert "NextToken" not in second
    assert trail.lookup_events(StartTime=datetime.now(UTC) + timedelta(hours=1))["Events"] == []
    assert trail.lookup_events(EndTime=datetime.now(UTC) - timedelta(hours=1))["Events"] == []
    recent = trail.lookup_events(StartTime=datetime.now(UTC) - timedelta(hours=1))
    assert len(recent["Events"]) == 7


def test_what_opened_something_is_kept_as_cloudtrail_writes_it(sandbox: RunningSandbox) -> None:
    account = "710000000006"
    ec2 = client_for(sandbox, "ec2", account=account)
    group = ec2.create_security_group(GroupName="opened", Description="x")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5433,
                "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "me"}, {"CidrIp": "10.0.0.0/8"}],
                "UserIdGroupPairs": [{"GroupId": group}],
            }
        ],
    )
    newest = json.loads(looked_up(sandbox, account, ResourceName=group)[0]["CloudTrailEvent"])
    (permission,) = newest["requestParameters"]["ipPermissions"]["items"]
    assert newest["requestParameters"]["groupId"] == group
    assert (permission["ipProtocol"], permission["fromPort"], permission["toPort"]) == ("tcp", 5432, 5433)
    assert [one["cidrIp"] for one in permission["ipRanges"]["items"]] == ["0.0.0.0/0", "10.0.0.0/8"]
    assert permission["groups"]["items"][0]["groupId"] == group
    s3 = client_for(sandbox, "s3", account=account)
    s3.create_bucket(Bucket="opened", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    s3.delete_public_access_block(Bucket="opened")
    event = looked_up(sandbox, account, ResourceName="opened")[0]
    assert json.loads(event["CloudTrailEvent"])["requestParameters"] == {"bucketName": "opened"}


def test_no_password_is_kept_with_what_was_asked(sandbox: RunningSandbox) -> None:
    account = "710000000007"
    rds = client_for(sandbox, "rds", account=account)
    rds.create_db_instance(
        DBInstanceIdentifier="kept",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="x",
        MasterUserPassword="long enough",
    )
    rds.modify_db_instance(
        DBInstanceIdentifier="kept", PubliclyAccessible=True, MasterUserPassword="never to be kept"
    )
    events = looked_up(sandbox, account, ResourceName="kept")
    assert json.loads(events[0]["CloudTrailEvent"])["requestParameters"]["publiclyAccessible"] is True
    assert "never to be kept" not in json.dumps(events, default=str)
    assert "long enough" not in json.dumps(events, default=str)
