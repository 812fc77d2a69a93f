"""A tenant's environment made in the sandbox by boto3, as the blueprint would make it with Terraform."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3

from portal.sandbox.testing import RunningSandbox

REGION = "ap-northeast-2"
PORT = 8000
# Role -> the service that assumes it.
TRUSTED = {
    "execution": "ecs-tasks.amazonaws.com",
    "task": "ecs-tasks.amazonaws.com",
    "ecs-infrastructure": "ecs.amazonaws.com",
}
PULLS = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
SECRET_VALUE = "postgresql://backend:not-for-anybody@db/backend"


@dataclass
class Clients:
    """boto3 clients of one account, made once: each takes a tenth of a second."""

    sandbox: RunningSandbox
    account: str
    made: dict[str, Any] = field(default_factory=dict)

    def __call__(self, service: str) -> Any:
        if service not in self.made:
            self.made[service] = boto3.client(
                service,
                endpoint_url=self.sandbox.url,
                region_name=REGION,
                aws_access_key_id=self.account,
                aws_secret_access_key="sandbox",
            )
        return self.made[service]


@dataclass
class BuiltService:
    """One service as it stands in AWS; `digests` is tag -> digest of its repository."""

    key: str
    name: str
    arn: str
    container: str
    family: str
    task_definition_arn: str
    definition: dict[str, Any]
    repository: str
    repository_uri: str
    digests: dict[str, str]
    log_group: str
    secret_name: str
    secret_arn: str
    target_group_arn: str
    alternate_target_group_arn: str
    listener_rule_arn: str
    alarms: list[str] = field(default_factory=list)

    def image(self, tag: str) -> str:
        """The reference that a deployment of this tag renders: pinned to its digest."""
        return f"{self.repository_uri}@{self.digests[tag]}"


@dataclass
class Built:
    """What is shared by the services of one environment; `prefix` begins every name."""

    prefix: str
    vpc_id: str
    subnet_ids: list[str]
    security_group_id: str
    load_balancer_arn: str
    load_balancer_dns: str
    listener_arn: str
    cluster_name: str
    cluster_arn: str
    execution_role_arn: str
    task_role_arn: str
    infrastructure_role_arn: str
    services: dict[str, BuiltService] = field(default_factory=dict)


def build(
    client: Clients, sandbox: RunningSandbox, account: str, keys: Sequence[str], *, desired: int
) -> Built:
    """Everything of one environment, under a name that nothing else has."""
    prefix = f"t-{uuid4().hex[:8]}"
    built = _shared(client, prefix)
    for position, key in enumerate(keys):
        built.services[key] = _service(client, sandbox, account, built, key, position, desired)
    return built


def control(sandbox: RunningSandbox, path: str, **asked: Any) -> dict[str, Any]:
    """One of the sandbox's own controls."""
    request = urllib.request.Request(
        sandbox.url + path, json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        content: dict[str, Any] = json.load(answer)
    return content


def _shared(client: Clients, prefix: str) -> Built:
    ec2, elb = client("ec2"), client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    # Without it moto refuses to run a task on Fargate.
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")[
            "Subnet"
        ]["SubnetId"]
        for number, zone in ((11, "a"), (12, "c"))
    ]
    group = ec2.create_security_group(GroupName=prefix, Description="tasks", VpcId=vpc)["GroupId"]
    balancer = elb.create_load_balancer(Name=f"{prefix}-alb", Subnets=subnets, SecurityGroups=[group])
    row = balancer["LoadBalancers"][0]
    nothing = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = elb.create_listener(
        LoadBalancerArn=row["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[nothing]
    )["Listeners"][0]["ListenerArn"]
    name = f"{prefix}-cluster"
    cluster = client("ecs").create_cluster(clusterName=name)["cluster"]["clusterArn"]
    roles = [_role(client, f"{prefix}-{name}", TRUSTED[name]) for name in TRUSTED]
    client("iam").attach_role_policy(RoleName=f"{prefix}-execution", PolicyArn=PULLS)
    return Built(
        prefix,
        vpc,
        subnets,
        group,
        row["LoadBalancerArn"],
        row["DNSName"],
        listener,
        name,
        cluster,
        *roles,
    )


def _role(client: Clients, name: str, service: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    made = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


def _service(
    client: Clients,
    sandbox: RunningSandbox,
    account: str,
    built: Built,
    key: str,
    position: int,
    desired: int,
) -> BuiltService:
    family = f"{built.prefix}-{key}"
    secret = client("secretsmanager").create_secret(Name=f"{built.prefix}/{key}", SecretString=SECRET_VALUE)
    _may_read(client, built, key, secret["ARN"])
    log_group = f"/aws/ecs/{family}"
    client("logs").create_log_group(logGroupName=log_group)
    made = client("ecr").create_repository(repositoryName=family, imageTagMutability="MUTABLE")["repository"]
    seeded = control(sandbox, "/sandbox/ecr/images", account=account, region=REGION, repository=family)[
        "images"
    ]
    first, second, rule = _targets(client, built, key, position)
    definition = _definition(built, key, f"{made['repositoryUri']}:latest", secret["ARN"], log_group)
    registered = client("ecs").register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    name = f"{family}-service"
    arn = _running(client, built, name, registered, key, first, desired)
    alarms = [f"{family}-5xx", f"{family}-tasks-low"]
    for alarm in alarms:
        _alarm(client, alarm, first)
    return BuiltService(
        key,
        name,
        arn,
        key,
        family,
        registered,
        definition,
        family,
        made["repositoryUri"],
        seeded,
        log_group,
        secret["Name"],
        secret["ARN"],
        first,
        second,
        rule,
        alarms,
    )


def _may_read(client: Clients, built: Built, key: str, secret_arn: str) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": [secret_arn]}
        ],
    }
    client("iam").put_role_policy(
        RoleName=f"{built.prefix}-execution", PolicyName=f"secrets-{key}", PolicyDocument=json.dumps(document)
    )


def _targets(client: Clients, built: Built, key: str, position: int) -> tuple[str, str, str]:
    """Both target groups and the rule that forwards to the first."""
    elb = client("elbv2")
    groups = [
        elb.create_target_group(
            Name=f"{built.prefix}-{key}-{colour}",
            Protocol="HTTP",
            Port=PORT,
            VpcId=built.vpc_id,
            TargetType="ip",
            HealthCheckPath="/health",
        )["TargetGroups"][0]["TargetGroupArn"]
        for colour in ("blue", "green")
    ]
    weighted = [{"TargetGroupArn": arn, "Weight": 100 * (arn == groups[0])} for arn in groups]
    rule = elb.create_rule(
        ListenerArn=built.listener_arn,
        Priority=position + 1,
        Conditions=[{"Field": "path-pattern", "Values": [f"/{key}/*"]}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}],
    )["Rules"][0]["RuleArn"]
    return groups[0], groups[1], rule


def _definition(built: Built, key: str, image: str, secret_arn: str, log_group: str) -> dict[str, Any]:
    container = {
        "name": key,
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": PORT, "hostPort": PORT, "protocol": "tcp"}],
        "environment": [
            {"name": "ENVIRONMENT", "value": built.prefix},
            {"name": "LOG_LEVEL", "value": "INFO"},
        ],
        "secrets": [{"name": "DATABASE_URL", "valueFrom": secret_arn}],
        "stopTimeout": 30,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": log_group,
                "awslogs-region": REGION,
                "awslogs-stream-prefix": key,
            },
        },
        "healthCheck": {
            "command": ["CMD-SHELL", f"curl -f http://localhost:{PORT}/health || exit 1"],
            "interval": 10,
            "timeout": 5,
            "retries": 3,
            "startPeriod": 10,
        },
    }
    return {
        "family": f"{built.prefix}-{key}",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": built.execution_role_arn,
        "taskRoleArn": built.task_role_arn,
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
        "containerDefinitions": [container],
        "tags": [{"key": "managed-by", "value": "gatehouse"}],
    }


def _running(
    client: Clients, built: Built, name: str, definition: str, key: str, target_group: str, desired: int
) -> str:
    """The service, kept between its minimum and maximum by autoscaling."""
    network = {
        "subnets": built.subnet_ids,
        "securityGroups": [built.security_group_id],
        "assignPublicIp": "DISABLED",
    }
    made = client("ecs").create_service(
        cluster=built.cluster_name,
        serviceName=name,
        taskDefinition=definition,
        desiredCount=desired,
        launchType="FARGATE",
        healthCheckGracePeriodSeconds=60,
        propagateTags="SERVICE",
        deploymentConfiguration={
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
        },
        networkConfiguration={"awsvpcConfiguration": network},
        loadBalancers=[{"targetGroupArn": target_group, "containerName": key, "containerPort": PORT}],
    )
    client("application-autoscaling").register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{built.cluster_name}/{name}",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=min(desired, 1),
        MaxCapacity=desired + 3,
    )
    return str(made["service"]["serviceArn"])


def _alarm(client: Clients, name: str, target_group: str) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        AlarmDescription="Server errors, or too few healthy tasks",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Dimensions=[{"Name": "TargetGroup", "Value": target_group.rpartition(":")[2]}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="nothing wrong")
