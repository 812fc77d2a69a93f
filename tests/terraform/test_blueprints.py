"""Terraform itself: formatting, validation, tests with a mocked provider, and the real thing."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from environments.deployments.proposal.rendering import Wanted, render
from portal.sandbox.testing import RunningSandbox, running_sandbox
from portal.terraform.plan import read_plan
from tests.environments.deployments.building import control
from tests.terraform import deploying
from tests.terraform.beside import beside
from tests.terraform.conftest import FOLDERS, SOURCE, Workspace, secrets

ACCOUNT = "210987654321"
WEB, STORE = "blueprints/web-service", "blueprints/object-store"
SERVICES, SITE = "blueprints/container-services", "blueprints/static-site"
ONNO, SESAMI = "220987654321", "230987654321"
ROOTS = [folder for folder in FOLDERS if folder.startswith("blueprints/")]
WEB_SECRETS = secrets(db_password="correct-horse-battery", redis_auth_token="a-token-of-twenty-characters")
ONNO_SECRETS = {
    **WEB_SECRETS,
    **secrets(application_secrets='{"JWT_SECRET": "0123456789abcdef", "OPENAI_API_KEY": "none"}'),
}
PRODUCTION = "-var-file=examples/triflow-production.tfvars.json"
STAGING = "-var-file=examples/triflow-staging.tfvars.json"
RESOURCES = 99
GUARDED = """
variable "protected" {
  type = bool
}

resource "terraform_data" "service" {}

module "deletion_guard" {
  source     = "../modules/deletion_guard"
  protected  = var.protected
  depends_on = [terraform_data.service]
}
"""

pytestmark = [pytest.mark.slow, pytest.mark.terraform]


def test_formatted(checked: Workspace) -> None:
    checked.run(".", "fmt", "-check", "-recursive", "-diff")


@pytest.mark.parametrize("folder", ROOTS)
def test_valid(checked: Workspace, folder: str) -> None:
    """Terraform validates a blueprint together with the modules it is made of: between them all there are."""
    checked.init(folder)
    said = json.loads(checked.run(folder, "validate", "-json"))
    assert said["valid"] and said["diagnostics"] == []


def test_every_module_is_used() -> None:
    """So that validating the blueprints leaves none out."""
    code = "".join(path.read_text() for folder in ROOTS for path in (SOURCE / folder).glob("*.tf"))
    assert [
        folder for folder in FOLDERS if folder.startswith("modules/") and f"../../{folder}" not in code
    ] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_passes_its_own_tests(checked: Workspace, folder: str) -> None:
    checked.init(folder)
    events = [json.loads(line) for line in checked.run(folder, "test", "-json").splitlines()]
    summary = next(event["test_summary"] for event in events if event["type"] == "test_summary")
    assert summary["passed"] > 0
    assert {summary[key] for key in ("failed", "errored", "skipped")} == {0}


def test_a_protected_environment_refuses_to_be_destroyed_and_stays_whole(applied: Workspace) -> None:
    folder = applied.root / "guarded"
    folder.mkdir()
    (folder / "main.tf").write_text(GUARDED)
    applied.init("guarded")
    applied.run("guarded", "apply", "-auto-approve", "-var=protected=true")
    # As last applied, not as written now.
    said = applied.run("guarded", "destroy", "-auto-approve", "-no-color", "-var=protected=false", expect=1)
    assert "Apply with deletion_protection = false" in said
    standing = applied.run("guarded", "state", "list").splitlines()
    assert standing == ["terraform_data.service", "module.deletion_guard.terraform_data.this"]
    applied.run("guarded", "apply", "-auto-approve", "-var=protected=false")
    said = applied.run("guarded", "destroy", "-auto-approve", "-no-color", "-var=protected=false")
    assert "2 destroyed" in said


def test_object_store_lives_and_dies_cleanly(applied: Workspace) -> None:
    with running_sandbox() as sandbox:
        env = {**sandbox.environment(ACCOUNT), **secrets(api_key="0123456789abcdef")}
        example = "-var-file=examples/demo.tfvars.json"
        applied.use_local_state(STORE)
        said = applied.run(STORE, "apply", "-auto-approve", "-no-color", example, env=env)
        assert "6 added" in said
        assert "0123456789abcdef" not in said
        applied.run(STORE, "plan", "-detailed-exitcode", "-no-color", example, env=env)
        outputs = json.loads(applied.run(STORE, "output", "-json", env=env))
        assert outputs["client_settings"]["sensitive"]
        assert outputs["bucket_name"]["value"] == f"triflow-ai-demo-objects-{ACCOUNT}"
        applied.run(STORE, "destroy", "-auto-approve", "-no-color", example, env=env)
        assert _client(sandbox, "s3").list_buckets()["Buckets"] == []


def test_web_service_lives_and_dies_cleanly(applied: Workspace) -> None:
    """Production as the documents describe it, for real: apply, nothing left to do, destroy.

    Without deletion protection, which AWS takes away from a database in a run of 90 seconds.
    """
    unprotected = ("-no-color", PRODUCTION, "-var=deletion_protection=false")
    with running_sandbox() as sandbox, ThreadPoolExecutor() as beside_it:
        others = [beside_it.submit(one, applied, sandbox) for one in (_onno_staging, _sesami_site)]
        env = {**sandbox.environment(ACCOUNT), **WEB_SECRETS}
        applied.use_local_state(WEB)
        _staging_is_smaller(applied, env)
        said = applied.run(WEB, "apply", "-auto-approve", *unprotected, env=env)
        assert f"{RESOURCES} added, 0 changed, 0 destroyed" in said
        for secret in ("correct-horse-battery", "a-token-of-twenty-characters"):
            assert secret not in said
        applied.run(WEB, "plan", "-detailed-exitcode", *unprotected, env=env)
        _aws_has_what_was_asked_for(sandbox)
        _only_what_is_added_by_hand_stands_beside_the_state(applied, sandbox, unprotected, env)
        _deployments_and_runs_leave_each_other_alone(applied, sandbox, unprotected, env)
        said = applied.run(WEB, "destroy", "-auto-approve", *unprotected, env=env)
        # The run beside the deployment switched ECS Exec off, and its policy went with it.
        assert f"{RESOURCES - 1} destroyed" in said
        snapshots = _client(sandbox, "rds").describe_db_snapshots()["DBSnapshots"]
        assert [snapshot["DBInstanceIdentifier"] for snapshot in snapshots] == ["triflow-ai-production-db"]
        assert _client(sandbox, "s3").list_buckets()["Buckets"] == []
        for other in others:
            other.result()


def _onno_staging(workspace: Workspace, sandbox: RunningSandbox) -> None:
    """Two services in one environment: apply, nothing left to do, destroy. In another account, beside the rest."""
    options = ("-no-color", "-var-file=examples/onno-staging.tfvars.json")
    env = {**sandbox.environment(ONNO), **ONNO_SECRETS}
    workspace.use_local_state(SERVICES)
    said = workspace.run(SERVICES, "apply", "-auto-approve", *options, env=env)
    assert "120 added, 0 changed, 0 destroyed" in said
    assert "0123456789abcdef" not in said
    workspace.run(SERVICES, "plan", "-detailed-exitcode", *options, env=env)
    declared = deploying.declared(workspace, SERVICES, env)
    assert {name: service.order for name, service in declared.items()} == {"onno-api": 1, "onno-ws": 2}
    previews = {
        name: service.blue_green.test_listener_rule_arn
        for name, service in declared.items()
        if service.blue_green
    }
    assert previews["onno-api"].startswith("arn:") and previews["onno-ws"] == ""
    clients = {name: _client(sandbox, name, ONNO) for name in ("ecs", "elbv2")}
    for name, port in (("onno-api", 3000), ("onno-ws", 3001)):
        (balancer,) = deploying.running(clients, declared[name])["loadBalancers"]
        assert balancer["containerPort"] == port
        assert sorted(deploying.weights(clients, declared[name]).values()) == [0, 100]
    said = workspace.run(SERVICES, "destroy", "-auto-approve", *options, env=env)
    assert "120 destroyed" in said


def _sesami_site(workspace: Workspace, sandbox: RunningSandbox) -> None:
    """A bucket behind CloudFront; the files of a build are no drift, and go with the environment."""
    options = ("-no-color", "-var-file=examples/sesami-development.tfvars.json")
    env = sandbox.environment(SESAMI)
    workspace.use_local_state(SITE)
    said = workspace.run(SITE, "apply", "-auto-approve", *options, env=env)
    assert "8 added, 0 changed, 0 destroyed" in said
    site = json.loads(workspace.run(SITE, "output", "-json", env=env))["front_ends"]["value"]["site"]
    s3 = _client(sandbox, "s3", SESAMI)
    s3.put_object(Bucket=site["bucket"], Key="index.html", Body=b"<!doctype html>", ContentType="text/html")
    workspace.run(SITE, "plan", "-detailed-exitcode", *options, env=env)
    policy = json.loads(s3.get_bucket_policy(Bucket=site["bucket"])["Policy"])["Statement"]
    readers = [one["Condition"]["StringEquals"] for one in policy if one["Effect"] == "Allow"]
    (reader,) = readers
    assert reader["aws:SourceArn"].endswith(site["distribution_id"])
    said = workspace.run(SITE, "destroy", "-auto-approve", *options, env=env)
    assert "8 destroyed" in said


def _only_what_is_added_by_hand_stands_beside_the_state(
    workspace: Workspace, sandbox: RunningSandbox, options: tuple[str, ...], env: dict[str, str]
) -> None:
    """No false alarm on 99 resources; and a refresh, which fills both openings into computed attributes of the
    state while the plan says "No changes", does not make them known."""
    assert beside(sandbox, ACCOUNT, workspace.root, WEB) == []
    ec2, iam, role = _client(sandbox, "ec2"), _client(sandbox, "iam"), "triflow-ai-production-ecs-task-role"
    groups = ec2.describe_security_groups()["SecurityGroups"]
    group = next(one["GroupId"] for one in groups if one["GroupName"] == "triflow-ai-production-rds")
    opened = {"GroupId": group, "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "0.0.0.0/0"}
    ec2.authorize_security_group_ingress(**opened)
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.attach_role_policy(RoleName=role, PolicyArn=administrator)
    workspace.run(WEB, "plan", "-detailed-exitcode", *options, env=env)
    workspace.run(WEB, "apply", "-refresh-only", "-auto-approve", *options, env=env)
    state = (workspace.root / WEB / "terraform.tfstate").read_text()
    assert administrator in state
    found = beside(sandbox, ACCOUNT, workspace.root, WEB)
    assert [(one.resource_id, one.risk) for one in found] == [(role, 100), (group, 96)]
    ec2.revoke_security_group_ingress(**opened)
    iam.detach_role_policy(RoleName=role, PolicyArn=administrator)
    assert beside(sandbox, ACCOUNT, workspace.root, WEB) == []


def _deployments_and_runs_leave_each_other_alone(
    workspace: Workspace, sandbox: RunningSandbox, options: tuple[str, ...], env: dict[str, str]
) -> None:
    """A blue/green deployment and a scaling are no drift. A run that changes size and service, even one planned
    before that, touches no task; the next deployment takes the size from it and the image from what runs."""
    clients = {name: _client(sandbox, name) for name in ("ecs", "elbv2", "application-autoscaling")}
    service = deploying.declared(workspace, WEB, env)["backend"]
    other = (*options, '-var=task={"cpu": 2048, "memory": 4096, "execute_command": false}')
    plan = read_plan(json.dumps(workspace.plan(WEB, *other, env=env)))
    changes = {one.address: one for one in plan.changes}
    assert {address: one.action for address, one in changes.items()} == {
        "module.service.aws_ecs_service.this": "update",
        "module.service.aws_ecs_task_definition.this": "replace",
        'module.task_roles.aws_iam_role_policy.task["ecs-exec-policy"]': "delete",
    }
    waits = ("new_task_definition", "waits_for_deployment")
    assert changes["module.service.aws_ecs_service.this"].effects == ()
    assert changes["module.service.aws_ecs_task_definition.this"].effects == waits

    control(sandbox, "/sandbox/ecs/pace", seconds=0.1, minute=0.1)
    digests = deploying.push(sandbox, ACCOUNT, service)
    image = f"{ACCOUNT}.dkr.ecr.ap-northeast-2.amazonaws.com/{service.repository}@{digests['v2']}"
    deployed = deploying.deploy(clients, service, image)
    deploying.scale(clients, service)
    groups = service.blue_green
    assert groups is not None
    shares = {groups.target_group_arn: 0, groups.alternate_target_group_arn: 100}
    assert deploying.weights(clients, service) == shares
    workspace.run(WEB, "plan", "-detailed-exitcode", *options, env=env)

    # The plan from before the deployment.
    workspace.run(WEB, "apply", "-auto-approve", "-no-color", "test.tfplan", env=env)
    running = deploying.running(clients, service)
    assert (running["taskDefinition"], running["enableExecuteCommand"]) == (deployed, False)
    assert deploying.weights(clients, service) == shares
    assert deploying.described(clients, deployed)["status"] == "ACTIVE"

    service = deploying.declared(workspace, WEB, env)["backend"]
    of_terraform = deploying.described(clients, service.task_definition)
    runs = deploying.described(clients, deployed)
    rendered = render(runs, of_terraform, service, service.container, Wanted())
    assert (rendered["cpu"], rendered["memory"]) == ("2048", "4096")
    assert rendered["containerDefinitions"][0]["image"] == image
    assert of_terraform["containerDefinitions"][0]["image"] != image


def _staging_is_smaller(workspace: Workspace, env: dict[str, str]) -> None:
    production, staging = (_planned(workspace.plan(WEB, file, env=env)) for file in (PRODUCTION, STAGING))
    assert len(production) == len(staging) == RESOURCES
    assert Counter(map(_kind, production)) == Counter(map(_kind, staging))

    def both(address: str, attribute: str) -> tuple[Any, Any]:
        return production[address][attribute], staging[address][attribute]

    database = "module.database.aws_db_instance.this"
    cache = "module.cache.aws_elasticache_replication_group.this"
    assert both(database, "multi_az") == (True, False)
    assert both(database, "backup_retention_period") == (7, 1)
    assert both(database, "deletion_protection") == (True, False)
    assert both(database, "skip_final_snapshot") == (False, True)
    assert both(database, "allocated_storage") == (100, 20)
    assert both(cache, "num_cache_clusters") == (2, 1)
    assert both(cache, "automatic_failover_enabled") == (True, False)
    assert both("module.autoscaling.aws_appautoscaling_target.this", "max_capacity") == (5, 2)
    assert both("module.service.aws_ecs_service.this", "desired_count") == (2, 1)
    assert both("module.storage.aws_s3_bucket.this", "force_destroy") == (False, True)
    assert both("module.registry.aws_ecr_repository.this", "force_delete") == (False, True)


def _planned(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        change["address"]: change["change"]["after"]
        for change in plan["resource_changes"]
        if change["mode"] == "managed"
    }


def _kind(address: str) -> str:
    return address.split("[")[0]


def _aws_has_what_was_asked_for(sandbox: RunningSandbox) -> None:
    alarms = _client(sandbox, "cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    heard = [alarm for alarm in alarms if ":sns:" in alarm["AlarmActions"][0]]
    moving = [alarm for alarm in alarms if ":autoscaling:" in alarm["AlarmActions"][0]]
    assert (len(heard), len(moving)) == (11, 2)

    groups = _client(sandbox, "ec2").describe_security_groups()["SecurityGroups"]
    # The account's default network is not ours.
    ours = [group for group in groups if group["GroupName"].startswith("triflow-ai-production-")]
    open_to_the_world = [
        (group["GroupName"], rule["FromPort"])
        for group in ours
        for rule in group["IpPermissions"]
        if any(source["CidrIp"] == "0.0.0.0/0" for source in rule["IpRanges"])
    ]
    assert len(ours) == 4
    assert open_to_the_world == [("triflow-ai-production-alb", 443)]

    bucket = f"triflow-ai-prod-{ACCOUNT}"
    rules = _client(sandbox, "s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    deleting = {rule["Filter"]["Prefix"] for rule in rules if "Days" in rule.get("Expiration", {})}
    assert deleting == {"backups/", "AWSLogs/"}
    moving_to_glacier = {
        rule["Filter"]["Prefix"].split("/")[2]: rule["Transitions"][0]["Days"]
        for rule in rules
        if "Transitions" in rule
    }
    assert moving_to_glacier == {"workflows": 90, "uploads": 180, "exports": 90}

    service = _client(sandbox, "ecs").describe_services(
        cluster="triflow-ai-production-cluster", services=["triflow-ai-production-backend-service"]
    )["services"][0]
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {
        "enable": True,
        "rollback": True,
    }


def _client(sandbox: RunningSandbox, service: str, account: str = ACCOUNT) -> Any:
    return boto3.client(
        service,
        endpoint_url=sandbox.url,
        aws_access_key_id=account,
        aws_secret_access_key="sandbox",
        region_name="ap-northeast-2",
    )
