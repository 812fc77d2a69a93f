"""The images to choose from: as ECR has them now, on the page and in the API."""

from __future__ import annotations

import pytest
from django.utils import timezone

from environments.changes.models import Change
from environments.deployments.asked import offered
from environments.deployments.models import Act, Deployment, DeploymentPart, Outcome
from portal.aws.errors import AwsError
from tests.environments.deployments.scene import Scene

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def text_of(answer):
    return answer.content.decode()


def page_of(environment):
    return f"/environments/{environment.tenant.slug}/{environment.slug}/deployments/images/"


def proven(place, key, tag, operator):
    """A deployment that was proven to run this tag."""
    now = timezone.now()
    change = Change.objects.create(
        environment=place.environment,
        kind="deployment",
        title="x",
        status="succeeded",
        requested_by=operator,
        requested_by_name="x",
        finished_at=now,
        due_at=None,
    )
    service = place.services[key]
    DeploymentPart.objects.create(
        deployment=Deployment.objects.create(change=change, act=Act.DEPLOY),
        position=0,
        service_arn=service.arn,
        service=service.name,
        outcome=Outcome.SUCCEEDED,
        digest=service.digests[tag],
        registered_arn="arn:x:1",
    )
    return now


def test_images_newest_first_with_what_they_are_to_the_service(
    scene: Scene, tenant, operator, outsider, sign_in, api
):
    place = scene.environment(tenant, services=("api",))
    now = proven(place, "api", "v2", operator)
    answer = api(operator).get(f"/api/v1/environments/{place.environment.key}/services/api/images/")
    rows = {tag: row for row in answer.json()["results"] for tag in row["tags"]}
    pushed = [row["pushed_at"] for row in answer.json()["results"]]
    assert pushed == sorted(pushed, reverse=True)
    assert {tag for tag, row in rows.items() if row["running"]} == {"v1", "latest"}
    assert {tag for tag, row in rows.items() if row["proven"]} == {"v2"}
    assert rows["v2"]["proven"].startswith(now.strftime("%Y-%m-%dT%H:%M"))
    assert rows["v2"]["scan"] == {"MEDIUM": 2, "LOW": 8}
    # Never scanned is not nothing found.
    assert rows["cannot-pull"]["scan"] is None
    assert rows["cannot-pull"]["scan_unknown"]

    digest = place.services["api"].digests["v2"]
    query = {"service": place.services["api"].arn, "field": "s0-picked", "chosen": digest}
    part = text_of(sign_in(operator).get(page_of(place.environment), query, headers=HTMX))
    assert f'name="s0-picked" value="{digest}" checked' in part
    assert part.count(" checked") == 1
    assert "runs now" in part
    assert "was proven" in part
    assert "1 critical" in part
    assert "<html" not in part
    whole = text_of(sign_in(operator).get(page_of(place.environment), {"service": "api"}))
    assert "<html" in whole
    assert 'type="radio"' not in whole
    assert sign_in(outsider).get(page_of(place.environment), query).status_code == 404


def test_an_empty_repository_says_so(scene: Scene, tenant, operator, sign_in):
    place = scene.environment(tenant, services=("api",))
    empty = f"{place.built.prefix}-empty"
    place.client("ecr").create_repository(repositoryName=empty)
    place.declare(repository=empty)
    part = text_of(sign_in(operator).get(page_of(place.environment), {"service": "api"}, headers=HTMX))
    assert "The repository holds no tagged images" in part


def test_what_stands_in_the_way_is_said_and_what_was_picked_stays(
    scene: Scene, tenant, operator, sign_in, monkeypatch
):
    place = scene.environment(tenant, services=("api",))

    def refuse(*args):
        raise AwsError(
            "The permission ecr:DescribeImages is missing: no",
            code="AccessDenied",
            permanent=True,
            hint="Add ecr:DescribeImages to the policy.",
            action="ecr:DescribeImages",
        )

    monkeypatch.setattr(offered.ecr, "images", refuse)
    query = {"service": "api", "field": "s0-picked", "chosen": "sha256:" + "ab" * 32}
    answer = sign_in(operator).get(page_of(place.environment), query, headers=HTMX)
    part = text_of(answer)
    assert answer.status_code == 200
    assert "The permission ecr:DescribeImages is missing" in part
    assert "Add ecr:DescribeImages to the policy." in part
    assert f'type="hidden" name="s0-picked" value="{query["chosen"]}"' in part


def test_without_a_word_from_ecs_the_declared_repository_is_listed(scene: Scene, tenant, monkeypatch):
    from environments.deployments.services import services_of

    place = scene.environment(tenant, services=("api",))
    (service,) = services_of(place.environment)

    def refuse(*args):
        raise AwsError("no", code="AccessDenied", permanent=True, action="ecs:DescribeServices")

    monkeypatch.setattr(offered.running, "rows", refuse)
    rows = offered.offered(place.environment, service)
    assert rows
    assert not any(row.running for row in rows)
    place.declare(repository=None)
    (service,) = services_of(place.environment)
    with pytest.raises(AwsError):
        offered.offered(place.environment, service)
