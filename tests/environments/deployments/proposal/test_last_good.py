"""Where a rollback leads that asks nobody: to what was proven before the deployment that brought what runs."""

from __future__ import annotations

import pytest

from environments.changes.models import Change
from environments.deployments.models import Deployment, DeploymentPart
from environments.deployments.proposal.last_good import last_good
from tests.environments.deployments import crafted
from tests.environments.deployments.requesting.conftest import production  # noqa: F401

pytestmark = pytest.mark.django_db
ARN = crafted.service_arn("api")


@pytest.fixture
def history(production):  # noqa: F811
    """Write deployments in order: (revision, act="deploy", outcome, status); their parts."""

    def write(*rows):
        found = []
        for number, (revision, *rest) in enumerate(rows):
            act, outcome, status = (*rest, *("deploy", "succeeded", "succeeded")[len(rest) :])
            change = Change.objects.create(
                environment=production, kind="deployment", title=str(number), status=status
            )
            found.append(
                DeploymentPart.objects.create(
                    deployment=Deployment.objects.create(change=change, act=act),
                    position=0,
                    service_arn=ARN,
                    service="api",
                    outcome=outcome,
                    registered_arn=crafted.revision("api", revision),
                    digest=f"sha256:{revision:064d}",
                )
            )
        return found

    return write


def good(revision):
    part = last_good(ARN, crafted.revision("api", revision), f"sha256:{revision:064d}")
    return part.registered_arn.rpartition(":")[2] if part else None


def test_the_one_before_what_runs(history):
    history((1,), (2,), (3,))
    assert good(3) == "2"


def test_nothing_is_known_before_the_first(history):
    history((1,))
    assert good(1) is None


def test_of_what_somebody_deployed_past_the_portal_it_is_the_newest_proven_one(history):
    history((1,), (2,))
    assert good(77) == "2"


@pytest.mark.parametrize(
    "row",
    [
        (2, "deploy", "rolled_back", "failed"),
        (2, "deploy", "succeeded", "regressed"),
        (2, "deploy", "succeeded", "cancelled"),
        (2, "restart", "succeeded", "succeeded"),
        (2, "scale", "succeeded", "succeeded"),
    ],
)
def test_what_was_not_proven_as_a_whole_is_not_good(row, history):
    history((1,), row, (3,))
    assert good(3) == "1"


def test_two_rollbacks_in_a_row_lead_back_and_never_forward_again(history):
    history((1,), (2,), (3,), (2, "rollback"))
    assert good(2) == "1"


def test_a_rollback_that_was_rendered_anew_counts_from_the_image_it_brought_back(history):
    # Terraform had moved on: the old image came back under a new revision.
    parts = history((1,), (2,), (3,), (9, "rollback"))
    part = parts[-1]
    part.digest = parts[1].digest
    part.save()
    found = last_good(ARN, part.registered_arn, part.digest)
    assert found == parts[0]


def test_settings_that_were_changed_can_be_gone_back_from(history):
    parts = history((1,), (2, "configure"))
    parts[1].digest = parts[0].digest
    parts[1].save()
    assert last_good(ARN, parts[1].registered_arn, parts[1].digest) == parts[0]
