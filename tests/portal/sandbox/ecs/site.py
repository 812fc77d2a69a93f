"""A network, a load balancer, a cluster and images in a sandbox, and services in them."""

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from portal.sandbox.testing import RunningSandbox
from tests.portal.sandbox.conftest import client_for

REGION = "ap-northeast-2"
OVER = frozenset({"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def control(sandbox: RunningSandbox, path: str, **asked: Any) -> dict[str, Any]:
    body = json.dumps(asked).encode()
    request = urllib.request.Request(sandbox.url + path, data=body, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        content: dict[str, Any] = json.load(answer)
    return content


def until(found: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """What `found` says once it is something; fails when it never is."""
    deadline = time.monotonic() + seconds
    while not (said := found()):
        assert time.monotonic() < deadline, what
        time.sleep(0.03)
    return said


@dataclass
class Site:
    """One account; services share its target groups and listener rule."""

    sandbox: RunningSandbox
    account: str
    subnets: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    group: str = ""
    rule: str = ""
    images: dict[str, str] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        key = (self.sandbox.url, service)
        if key not in self._clients:
            self._clients[key] = client_for(self.sandbox, service, account=self.account)
        return self._clients[key]

    @property
    def ecs(self) -> Any:
        return self.client("ecs")

    @property
    def uri(self) -> str:
        return f"{self.account}.dkr.ecr.{REGION}.amazonaws.com/shop/api"

    def build(self, cidr: str = "10.0.0.0/24") -> "Site":
        ec2, balancing = self.client("ec2"), self.client("elbv2")
        network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for zone, block in (("a", cidr), ("c", "10.0.9.0/24")):
            made = ec2.create_subnet(VpcId=network, CidrBlock=block, AvailabilityZone=REGION + zone)
            self.subnets.append(made["Subnet"]["SubnetId"])
        self.group = ec2.create_security_group(GroupName="app", Description="app", VpcId=network)["GroupId"]
        balancer = balancing.create_load_balancer(Name="shop", Subnets=self.subnets)["LoadBalancers"][0]
        for name in ("blue", "green"):
            made = balancing.create_target_group(
                Name=name, Protocol="HTTP", Port=80, VpcId=network, TargetType="ip"
            )
            self.groups.append(made["TargetGroups"][0]["TargetGroupArn"])
        actions = [
            {
                "Type": "forward",
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": group, "Weight": weight}
                        for group, weight in zip(self.groups, (1, 0), strict=True)
                    ]
                },
            }
        ]
        arn = balancer["LoadBalancerArn"]
        listener = balancing.create_listener(
            LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=actions
        )["Listeners"][0]
        self.rule = balancing.create_rule(
            ListenerArn=listener["ListenerArn"],
            Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
            Actions=actions,
        )["Rules"][0]["RuleArn"]
        self.client("ecr").create_repository(repositoryName="shop/api")
        asked = {"account": self.account, "region": REGION, "repository": "shop/api"}
        self.images = control(self.sandbox, "/sandbox/ecr/images", **asked)["images"]
        self.ecs.create_cluster(clusterName="main")
        return self

    def define(self, tag: str, **container: Any) -> str:
        made = self.ecs.register_task_definition(
            family="api",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[
                {
                    "name": "app",
                    "image": f"{self.uri}@{self.images[tag]}",
                    "portMappings": [{"containerPort": 8080}],
                    **container,
                }
            ],
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def serve(self, name: str, *, shifting: bool = False, **settings: Any) -> dict[str, Any]:
        """A new service that runs v1."""
        balancer: dict[str, Any] = {
            "targetGroupArn": self.groups[0],
            "containerName": "app",
            "containerPort": 8080,
        }
        if shifting:
            balancer["advancedConfiguration"] = {
                "alternateTargetGroupArn": self.groups[1],
                "productionListenerRule": self.rule,
                "roleArn": f"arn:aws:iam::{self.account}:role/ecs",
            }
        subnets, groups = settings.pop("subnets", self.subnets), [self.group]
        made = self.ecs.create_service(
            cluster="main",
            serviceName=name,
            launchType="FARGATE",
            taskDefinition=settings.pop("taskDefinition", None) or self.define("v1"),
            desiredCount=settings.pop("desiredCount", 2),
            networkConfiguration={"awsvpcConfiguration": {"subnets": subnets, "securityGroups": groups}},
            loadBalancers=[balancer],
            deploymentConfiguration=settings.pop("deploymentConfiguration", BREAKER),
            **settings,
        )
        service: dict[str, Any] = made["service"]
        return service

    def deploy(self, name: str, tag: str, **settings: Any) -> dict[str, Any]:
        arn = self.define(tag)
        made = self.ecs.update_service(cluster="main", service=name, taskDefinition=arn, **settings)
        service: dict[str, Any] = made["service"]
        return service

    def described(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ecs.describe_services(cluster="main", services=[name])["services"][0]
        return found

    def rollout(self, name: str) -> dict[str, Any]:
        arn = self.described(name)["currentServiceDeployment"]
        answer = self.ecs.describe_service_deployments(serviceDeploymentArns=[arn])
        found: dict[str, Any] = answer["serviceDeployments"][0]
        return found

    def until_over(self, name: str) -> dict[str, Any]:
        def over() -> dict[str, Any] | None:
            found = self.rollout(name)
            return found if found["status"] in OVER else None

        found: dict[str, Any] = until(over, f"{name} never ended")
        return found

    def tasks(self, name: str, status: str = "RUNNING") -> list[dict[str, Any]]:
        arns = self.ecs.list_tasks(cluster="main", serviceName=name, desiredStatus=status)["taskArns"]
        if not arns:
            return []
        found: list[dict[str, Any]] = self.ecs.describe_tasks(cluster="main", tasks=arns)["tasks"]
        return found

    def health(self, group: int = 0) -> list[dict[str, Any]]:
        answer = self.client("elbv2").describe_target_health(TargetGroupArn=self.groups[group])
        found: list[dict[str, Any]] = answer["TargetHealthDescriptions"]
        return found

    def weights(self) -> list[int]:
        rules = self.client("elbv2").describe_rules(RuleArns=[self.rule])["Rules"]
        return [group["Weight"] for group in rules[0]["Actions"][0]["ForwardConfig"]["TargetGroups"]]
