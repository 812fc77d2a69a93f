"""Rollouts through the real API calls."""

from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from tests.portal.sandbox.ecs.site import BREAKER, Site, control, until


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_service_is_created_with_its_tasks(site: Site) -> None:
    service = site.serve("created")
    assert (service["runningCount"], service["pendingCount"]) == (2, 0)
    assert [row["rolloutState"] for row in service["deployments"]] == ["COMPLETED"]
    tasks = site.tasks("created")
    assert {task["containers"][0]["imageDigest"] for task in tasks} == {site.images["v1"]}
    assert {task["availabilityZone"][-1] for task in tasks} == {"a", "c"}
    assert {task["group"] for task in tasks} == {"service:created"}
    assert {task["startedBy"] for task in tasks} == {service["deployments"][0]["id"]}
    assert site.ecs.get_waiter("services_stable").wait(cluster="main", services=["created"]) is None


def test_a_new_image_rolls_out(site: Site) -> None:
    before = site.serve("rolled")
    during = site.deploy("rolled", "v2")
    assert [(row["status"], row["rolloutState"]) for row in during["deployments"]] == [
        ("PRIMARY", "IN_PROGRESS"),
        ("ACTIVE", "COMPLETED"),
    ]
    assert during["currentServiceDeployment"] != before["currentServiceDeployment"]
    assert len(during["currentServiceRevisions"]) == 2
    found = site.until_over("rolled")
    assert (found["status"], found["deploymentCircuitBreaker"]["status"]) == (
        "SUCCESSFUL",
        "MONITORING_COMPLETE",
    )
    assert found["targetServiceRevision"]["runningTaskCount"] == 2
    assert found["finishedAt"] > found["startedAt"]
    arn = found["targetServiceRevision"]["arn"]
    revision = site.ecs.describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"][0]
    assert revision["taskDefinition"] == during["taskDefinition"]
    assert [row["imageDigest"] for row in revision["containerImages"]] == [site.images["v2"]]
    assert {task["containers"][0]["imageDigest"] for task in site.tasks("rolled")} == {site.images["v2"]}
    stopped = site.tasks("rolled", "STOPPED")
    assert {task["stopCode"] for task in stopped} == {"ServiceSchedulerInitiated"}
    assert "has reached a steady state." in site.described("rolled")["events"][0]["message"]
    listed = site.ecs.list_service_deployments(cluster="main", service="rolled")["serviceDeployments"]
    assert [row["status"] for row in listed] == ["SUCCESSFUL", "SUCCESSFUL"]
    again = site.ecs.update_service(cluster="main", service="rolled", taskDefinition=during["taskDefinition"])
    assert again["service"]["currentServiceDeployment"] == during["currentServiceDeployment"]


def test_targets_follow_the_tasks(own_site: Site) -> None:
    own_site.serve("api")
    assert [row["TargetHealth"]["State"] for row in own_site.health()] == ["healthy"] * 2
    pace = control(own_site.sandbox, "/sandbox/ecs/pace")
    control(own_site.sandbox, "/sandbox/ecs/pace", seconds=0.3)
    own_site.deploy("api", "never-healthy")

    def unhealthy() -> list[str]:
        rows = [row for row in own_site.health() if row["TargetHealth"]["State"] == "unhealthy"]
        return [row["TargetHealth"]["Reason"] for row in rows]

    try:
        reasons = until(unhealthy, "no target was ever unhealthy")
    finally:
        control(own_site.sandbox, "/sandbox/ecs/pace", **pace)
    assert set(reasons) <= {"Target.FailedHealthChecks", "Target.Timeout"}
    found = own_site.until_over("api")
    assert found["status"] == "ROLLBACK_SUCCESSFUL"
    assert found["rollback"]["serviceRevisionArn"] == found["sourceServiceRevisions"][0]["arn"]
    until(lambda: len(own_site.health()) == 2, "targets that never left")
    addresses = {row["Target"]["Id"] for row in own_site.health()}
    running = {
        task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in own_site.tasks("api")
    }
    assert addresses == running


@pytest.mark.parametrize(
    ("tag", "code", "words"),
    [
        ("oom", "EssentialContainerExited", "OutOfMemoryError"),
        ("cannot-pull", "TaskFailedToStart", "CannotPullContainerError"),
    ],
)
def test_stopped_tasks_say_why(site: Site, tag: str, code: str, words: str) -> None:
    site.serve(tag)
    site.deploy(tag, tag)
    found = site.until_over(tag)
    assert found["status"] == "ROLLBACK_SUCCESSFUL"
    assert (
        found["deploymentCircuitBreaker"]["failureCount"]
        >= found["deploymentCircuitBreaker"]["threshold"]
        == 3
    )
    failed = [task for task in site.tasks(tag, "STOPPED") if task["stopCode"] == code]
    assert failed
    assert all(words in task["containers"][0]["reason"] for task in failed)
    assert {task["containers"][0].get("exitCode") for task in failed} == {137 if tag == "oom" else None}


def test_a_secret_that_is_not_there(site: Site) -> None:
    site.serve("secretive")
    arn = f"arn:aws:secretsmanager:ap-northeast-2:{site.account}:secret:gone-AbCdEf:KEY::"
    definition = site.define("v2", secrets=[{"name": "KEY", "valueFrom": arn}])
    site.ecs.update_service(cluster="main", service="secretive", taskDefinition=definition)
    assert site.until_over("secretive")["status"] == "ROLLBACK_SUCCESSFUL"
    reasons = {task["stoppedReason"] for task in site.tasks("secretive", "STOPPED")}
    assert any(reason.startswith("ResourceInitializationError: unable to pull secrets") for reason in reasons)


def test_a_revision_stays_with_the_digest_behind_its_tag(site: Site) -> None:
    registry = site.client("ecr")

    def tag(version: str) -> None:
        found = registry.batch_get_image(repositoryName="shop/api", imageIds=[{"imageTag": version}])[
            "images"
        ]
        registry.put_image(
            repositoryName="shop/api", imageManifest=found[0]["imageManifest"], imageTag="moving"
        )

    def digests() -> set[str]:
        return {task["containers"][0]["imageDigest"] for task in site.tasks("pinned")}

    tag("v1")
    site.serve("pinned", taskDefinition=site.define("v1", image=f"{site.uri}:moving"))
    tag("v2")
    site.ecs.stop_task(cluster="main", task=site.tasks("pinned")[0]["taskArn"])
    until(lambda: site.described("pinned")["runningCount"] == 2, "the task was never replaced")
    assert digests() == {site.images["v1"]}
    site.ecs.update_service(cluster="main", service="pinned", forceNewDeployment=True)
    site.until_over("pinned")
    assert digests() == {site.images["v2"]}


def test_stopping_a_rollout(site: Site) -> None:
    site.serve("stopped", deploymentConfiguration={})
    arn = site.deploy("stopped", "never-healthy")["currentServiceDeployment"]  # goes on for ever
    site.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert site.until_over("stopped")["status"] == "ROLLBACK_SUCCESSFUL"
    assert {task["containers"][0]["imageDigest"] for task in site.tasks("stopped")} == {site.images["v1"]}
    with pytest.raises(ClientError) as caught:
        site.ecs.stop_service_deployment(serviceDeploymentArn=arn)
    assert refused(caught) == "ConflictException"
    asked = [{"AttributeKey": "EventName", "AttributeValue": "StopServiceDeployment"}]
    (event,) = site.client("cloudtrail").lookup_events(LookupAttributes=asked)["Events"]
    assert arn in {row["ResourceName"] for row in event["Resources"]}
    with pytest.raises(ClientError) as caught:
        site.ecs.stop_service_deployment(serviceDeploymentArn=arn + "x")
    assert refused(caught) == "ServiceDeploymentNotFoundException"


def test_the_rules_weights_move(own_site: Site) -> None:
    shifting = {**BREAKER, "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1_440}
    own_site.serve("api", shifting=True, deploymentConfiguration=shifting)
    arn = own_site.deploy("api", "v2")["currentServiceDeployment"]
    until(lambda: own_site.rollout("api").get("lifecycleStage") == "BAKE_TIME", "it never baked")
    assert own_site.weights() == [0, 100]
    assert (len(own_site.health(0)), len(own_site.health(1))) == (2, 2)
    own_site.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert own_site.until_over("api")["status"] == "ROLLBACK_SUCCESSFUL"
    assert own_site.weights() == [100, 0]
    own_site.deploy("api", "v3", deploymentConfiguration={"bakeTimeInMinutes": 0})
    assert own_site.until_over("api")["status"] == "SUCCESSFUL"
    assert own_site.weights() == [0, 100]
    assert (len(own_site.health(0)), len(own_site.health(1))) == (0, 2)


def test_the_alarm_of_a_bake(own_site: Site) -> None:
    alarms = own_site.client("cloudwatch")
    alarms.put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Dimensions=[{"Name": "TargetGroup", "Value": own_site.groups[0].rpartition(":")[2]}],
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )

    def state() -> str:
        return str(alarms.describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]["StateValue"])

    own_site.serve("api")
    own_site.deploy("api", "alarm-in-bake")
    until(lambda: state() == "ALARM", "the alarm never fired")
    assert own_site.until_over("api")["status"] == "SUCCESSFUL"
    own_site.deploy("api", "v1")
    until(lambda: state() == "OK", "the alarm never fell silent")


def test_what_is_refused(site: Site) -> None:
    site.serve("strict")
    ecs = site.ecs
    gone = site.define("v2")
    ecs.deregister_task_definition(taskDefinition=gone)
    for definition, code in ((gone, "ClientException"), ("api:9999", "ClientException")):
        with pytest.raises(ClientError) as caught:
            ecs.update_service(cluster="main", service="strict", taskDefinition=definition)
        assert refused(caught) == code
    for call, arguments, code in (
        ("update_service", {"service": "nobody", "desiredCount": 1}, "ServiceNotFoundException"),
        ("update_service", {"service": "strict", "desiredCount": -1}, "InvalidParameterException"),
        (
            "update_service",
            {"service": "strict", "deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
            "InvalidParameterException",
        ),
        ("list_tasks", {"serviceName": "nobody"}, "ServiceNotFoundException"),
        ("list_service_deployments", {"service": "nobody"}, "ServiceNotFoundException"),
        ("describe_services", {"services": [str(n) for n in range(11)]}, "InvalidParameterException"),
    ):
        with pytest.raises(ClientError) as caught:
            getattr(ecs, call)(cluster="main", **arguments)
        assert refused(caught) == code, call
    ecs.delete_service(cluster="main", service="strict", force=True)
    with pytest.raises(ClientError) as caught:
        ecs.update_service(cluster="main", service="strict", desiredCount=1)
    assert refused(caught) == "ServiceNotActiveException"
    assert site.tasks("strict") == []
    assert not any(arn.endswith("/strict") for arn in ecs.list_services(cluster="main")["serviceArns"])


@pytest.mark.parametrize("wrong", [{"seconds": -1}, {"minute": "soon"}, {"seconds": 4_000}])
def test_a_pace_that_is_none(site: Site, wrong: dict[str, object]) -> None:
    with pytest.raises(HTTPError) as caught:
        control(site.sandbox, "/sandbox/ecs/pace", **wrong)
    assert caught.value.code == 400
    assert control(site.sandbox, "/sandbox/ecs/pace") == {"seconds": 0.06, "minute": 0.12}


def test_addresses_run_out(site: Site) -> None:
    ec2 = site.client("ec2")
    network = ec2.describe_subnets(SubnetIds=site.subnets)["Subnets"][0]["VpcId"]
    small = ec2.create_subnet(VpcId=network, CidrBlock="10.0.77.0/28")["Subnet"]["SubnetId"]
    site.serve("crowded", desiredCount=7, subnets=[small])
    assert ec2.describe_subnets(SubnetIds=[small])["Subnets"][0]["AvailableIpAddressCount"] == 4
    during = site.deploy("crowded", "v2")
    assert during["deployments"][0]["pendingCount"] == 4
    assert any("RESOURCE:ENI" in event["message"] for event in during["events"])
    assert site.until_over("crowded")["status"] == "SUCCESSFUL"


def test_what_a_service_needs_may_be_deleted_under_it(own_site: Site) -> None:
    arn = str(own_site.serve("api")["taskDefinition"])
    own_site.ecs.deregister_task_definition(taskDefinition=arn)
    own_site.ecs.delete_task_definitions(taskDefinitions=[arn])
    for subnet in own_site.subnets:
        own_site.client("ec2").delete_subnet(SubnetId=subnet)
    own_site.ecs.stop_task(cluster="main", task=own_site.tasks("api")[0]["taskArn"])
    service = own_site.described("api")
    assert (service["runningCount"], service["taskDefinition"]) == (1, arn)
    assert "RESOURCE:ENI" in service["events"][0]["message"]


def test_pages_of_tasks_and_autoscaling_bounds(site: Site) -> None:
    site.serve("wide", desiredCount=120)
    first = site.ecs.list_tasks(cluster="main", serviceName="wide")
    rest = site.ecs.list_tasks(cluster="main", serviceName="wide", nextToken=first["nextToken"])
    assert (len(first["taskArns"]), len(rest["taskArns"])) == (100, 20)
    site.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId="service/main/wide",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=1,
        MaxCapacity=3,
    )
    assert site.described("wide")["desiredCount"] == 3
    assert site.described("wide")["runningCount"] == 3
