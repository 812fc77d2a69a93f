"""What differs between two proposals of a deployment, on its page and without showing what is masked."""

from __future__ import annotations

import pytest
from django.urls import reverse

from environments.deployments.proposal.comparison import compare
from tests.environments.deployments.asked import configure, out_of_band
from tests.environments.deployments.proposal.test_base import advance, approved

pytestmark = pytest.mark.django_db


def test_fields_that_came_along_and_what_moved_beneath(scene, tenant, operator, approver, sign_in):
    place = scene.environment(tenant, ("api",))
    settings = {"LOG_LEVEL": "DEBUG", "EXTRA": "postgresql://app:canary-4712@db/app"}
    change = approved(scene, configure(place, operator, "api", environment=settings), approver)
    first = change.proposal
    arn = out_of_band(
        place,
        "api",
        environment=[
            {"name": "ENVIRONMENT", "value": "by-hand"},
            {"name": "EXTRA", "value": "postgresql://a:b@c/d"},
        ],
    )
    change = advance(change)
    found = compare(first, change.proposal)
    service = place.services["api"]
    assert [(row.what, row.name) for row in found.rows] == [("altered", service.name)]
    told = {row["path"]: row for row in found.rows[0].attributes}
    # Terraform's value comes back, as nobody had asked for the other one.
    assert told["api: environment.ENVIRONMENT"]["then"] is None
    assert told["api: environment.ENVIRONMENT"]["now"]["after"] == place.built.prefix
    assert told["api: environment.LOG_LEVEL"]["hidden"] is False
    assert told["api: environment.EXTRA"]["now"]["before"] == "(secret)"
    assert f"now it runs {arn.rpartition('/')[2]}." in found.remarks[0]
    url = reverse("changes:differences", args=[change.uuid])
    page = sign_in(approver).get(url).content.decode()
    assert "environment.ENVIRONMENT" in page
    assert "canary" not in page


def test_equal_proposals_differ_in_nothing(scene, tenant, operator, approver):
    place = scene.environment(tenant, ("api",))
    change = approved(scene, configure(place, operator, "api", environment={"LOG_LEVEL": "A"}), approver)
    found = compare(change.proposal, change.proposal)
    assert (list(found.rows), found.total, list(found.remarks)) == ([], 0, [])


def test_a_masked_value_that_differs_is_said_to_differ(scene, tenant, operator, approver):
    place = scene.environment(tenant, ("api",))
    first, second = (
        approved(
            scene,
            configure(place, operator, "api", environment={"EXTRA": f"postgresql://a:{word}@c/d"}),
            approver,
        ).proposal
        for word in ("canary-one", "canary-two")
    )
    row = compare(first, second).rows[0].attributes[0]
    assert (row["path"], row["hidden"]) == ("api: environment.EXTRA", True)
    assert "canary" not in str(row)
