"""Each field of a request that is wrong is named, with what to do about it."""

from __future__ import annotations

import pytest

from environments.changes.models import Change
from environments.deployments import actions
from environments.deployments.actions import Asked
from environments.deployments.asked import sizes
from environments.runs.models import Output
from portal.core.errors import InvalidInput
from tests.cast import by
from tests.environments.deployments import crafted
from tests.environments.deployments.requesting.conftest import made

pytestmark = pytest.mark.django_db


def errors_of(ask, environment, user, services, **options):
    with pytest.raises(InvalidInput) as wrong:
        ask(by=by(user), environment=environment, services=services, **options)
    assert not Change.objects.exists()
    return wrong.value.errors


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        (Asked("nothing", image="v2"), "service", "there are: api, ws"),
        (Asked("api"), "image", "or a setting to change"),
        (Asked("api", image="not an image"), "image", "no tag, digest or image reference"),
        (Asked("api", image="sha256:12"), "image", "no tag, digest or image reference"),
        (Asked("api", image="v2", container="sidecar"), "container", "container “api”"),
        (Asked("api", image="v2", desired=3), "desired", "ask for scaling"),
        (Asked("api", environment={"DB_HOST": "x"}), "environment.DB_HOST", "deployment_owns"),
        (Asked("api", unset=["DB_HOST"]), "environment.DB_HOST", "keeps environment.DB_HOST"),
        (Asked("api", environment={"1 BAD": "x"}), "environment.1 BAD", "letters, digits"),
        (Asked("api", environment={"LOG_LEVEL": "x" * 40_000}), "environment.LOG_LEVEL", "32 KiB"),
        (Asked("api", environment={"LOG_LEVEL": 1}), "environment.LOG_LEVEL", "has to be a text"),
        (
            Asked("api", environment={"LOG_LEVEL": "x"}, unset=["LOG_LEVEL"]),
            "environment.LOG_LEVEL",
            "set and taken away",
        ),
        (Asked("api", memory=1024), "memory", "keeps memory of api for Terraform"),
        (Asked("api", cpu=300), "cpu", "one of 256, 512, 1024"),
        (Asked("api", cpu=True), "cpu", "whole number"),
    ],
)
def test_a_deployment(asked, field, words, production, operator):
    errors = errors_of(actions.request_deployment, production, operator, [asked])
    assert list(errors) == [f"services.0.{field}"]
    assert words in errors[f"services.0.{field}"][0]


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        (Asked("api"), "desired", "how many tasks"),
        (Asked("api", image="v2", desired=3), "service", "number of tasks only"),
        (Asked("api", desired=-1), "desired", "from 0 to 5000"),
        (Asked("api", maximum=5001), "maximum", "from 0 to 5000"),
        (Asked("api", minimum=5, maximum=4), "minimum", "above the maximum"),
        (Asked("api", desired=1, minimum=2), "desired", "Fewer tasks than the minimum"),
        (Asked("api", desired=5, maximum=4), "desired", "More tasks than the maximum"),
    ],
)
def test_a_scaling(asked, field, words, production, operator):
    errors = errors_of(actions.request_scale, production, operator, [asked])
    assert list(errors) == [f"services.0.{field}"]
    assert words in errors[f"services.0.{field}"][0]


def test_a_restart_changes_nothing_else(production, operator):
    errors = errors_of(actions.request_restart, production, operator, [Asked("api", image="v2")])
    assert "A restart changes nothing else" in errors["services.0.service"][0]


def test_a_service_twice_under_two_names(production, operator):
    services = [Asked("api", image="v2"), Asked(crafted.service_arn("api"), image="v3")]
    errors = errors_of(actions.request_deployment, production, operator, services)
    assert "named twice" in errors["services.1.service"][0]


def test_a_service_of_another_environment(production, operator, tenant):
    made(tenant, "staging", "staging", "web")
    errors = errors_of(actions.request_deployment, production, operator, [Asked("web", image="v2")])
    assert "There is no service “web”" in errors["services.0.service"][0]


def test_no_service_at_all(production, operator):
    errors = errors_of(actions.request_deployment, production, operator, [])
    assert errors["services"] == ["Choose at least one service."]


def test_an_environment_without_services(operator, tenant):
    empty = made(tenant, "staging", "staging")
    errors = errors_of(actions.request_deployment, empty, operator, [Asked("api", image="v2")])
    assert "holds no ECS service" in errors["services.0.service"][0]


def test_a_service_of_which_nothing_is_declared_takes_an_image_and_nothing_else(production, operator):
    Output.objects.all().delete()
    asked = Asked("api", image="v2", environment={"LOG_LEVEL": "x"}, cpu=512)
    errors = errors_of(actions.request_deployment, production, operator, [asked])
    assert list(errors) == ["services.0.environment.LOG_LEVEL", "services.0.cpu"]
    change = actions.request_deployment(
        by=by(operator), environment=production, services=[Asked("api", image="v2")]
    )
    assert change.deployment.strategy == "rolling"


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        ({"strategy": "big_bang"}, "strategy", "Use one of: rolling"),
        ({"strategy": "canary"}, "strategy", "api is deployed by rolling only"),
        ({"strategy_options": {"canary_percent": 5}}, "strategy_options", "has no option"),
        ({"bake_seconds": -1}, "bake_seconds", "whole number of seconds"),
        ({"act": "destroy"}, "act", "Use one of: deploy"),
        ({"act": "configure"}, "services.0.image", "name no image"),
        ({"before_task": {"command": "migrate"}}, "before_task.command", "list of texts"),
        ({"before_task": {"command": ["x"], "shell": 1}}, "before_task", "no “shell”"),
        ({"before_task": {"command": ["x"], "service": "ws"}}, "before_task.service", "of this request"),
    ],
)
def test_the_rest_of_a_request(options, field, words, production, operator):
    services = [Asked("api", image="v2")]
    errors = errors_of(actions.request_deployment, production, operator, services, **options)
    assert words in errors[field][0]


def test_the_numbers_of_a_strategy(production, operator):
    row = Output.objects.get(environment=production, name="deployments")
    groups = ("target_group_arn", "alternate_target_group_arn", "production_listener_rule_arn", "role_arn")
    row.value["api"] |= {"strategies": ["rolling", "canary"], "blue_green": dict.fromkeys(groups, "arn:x")}
    row.save()
    services = [Asked("api", image="v2")]
    errors = errors_of(
        actions.request_deployment,
        production,
        operator,
        services,
        strategy="canary",
        strategy_options={"canary_percent": 101},
    )
    assert errors == {"strategy_options.canary_percent": ["Use a number from 0.1 to 100."]}
    change = actions.request_deployment(
        by=by(operator), environment=production, services=services, strategy="canary"
    )
    assert change.deployment.strategy_options == {"canary_percent": 5, "canary_bake_minutes": 10}


@pytest.mark.parametrize(
    ("cpu", "memory", "words"),
    [
        (256, 512, ""),
        (256, 4096, "512 to 2048 MiB"),
        (8192, 17000, "in steps of 4096"),
        (None, 777, "multiple of 1024"),
        (300, None, "300 CPU units"),
        (None, 2048, ""),
        (4096, 30720, ""),
    ],
)
def test_sizes_that_fargate_knows(cpu, memory, words):
    assert words in sizes.problem(cpu, memory)
    assert bool(words) == bool(sizes.problem(cpu, memory))
