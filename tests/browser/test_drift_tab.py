"""The Drift tab with everything on it: nothing for axe to find, nothing to scroll sideways, Enter decides nothing."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from environments.blueprints import snapshots
from environments.changes.models import Change
from environments.models import AwsAccount, Definition, Environment
from environments.runs.models import DriftCheck, DriftIgnore, LiveCheck, LiveExtra
from tests.browser.conftest import axe_findings, sideways
from tests.cast import *  # noqa: F403
from tests.environments.runs.crafted import planned

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("GATEHOUSE_SHOTS", "")
TAB = "/environments/triflow/live/drift/"
DATABASE = "module.guarded.aws_db_instance.this"
LONG = 'module.security_groups_of_the_whole_platform.aws_security_group.this["rds-with-a-rather-long-key"]'
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DENIED = (
    "The permission iam:ListRolePolicies is missing: User: arn:aws:sts::210000000002:assumed-role/gatehouse/"
    "gatehouse is not authorized. Add iam:ListRolePolicies to the policy of the role that the portal assumes."
)


def extra(place: Environment, risk: int, address: str, resource: str, key: str, **more: Any) -> LiveExtra:
    detail = {"region": "ap-northeast-2", "altered": "", "inline": False, **more.pop("detail")}
    return LiveExtra.objects.create(
        environment=place,
        kind=more.pop("kind", "security_group_rule"),
        address=address,
        resource_id=resource,
        key=key,
        risk=risk,
        detail=detail,
        first_seen_at=timezone.now() - timedelta(hours=20),
        **more,
    )


def rule(source: str, reason: str, ports: str = "tcp 5432") -> dict[str, Any]:
    return {
        "what": "rule",
        "rule_id": "sgr-0123456789abcdef0",
        "egress": False,
        "protocol": "tcp",
        "from_port": 5432,
        "to_port": 5432,
        "source": source,
        "ports": ports,
        "description": "just for the migration, kim",
        "group_name": "triflow-ai-production-rds",
        "reason": reason,
        "from": "203.0.113.7",
    }


@pytest.fixture
def place(tenant: Any, operator: Any, settings: Any) -> Environment:
    settings.BLUEPRINT_DIRS = [Path(__file__).parents[1] / "environments" / "runs" / "blueprints"]
    snapshots._seen.clear()
    account = AwsAccount.objects.create(tenant=tenant, name="Main", account_id="210000000002")
    place = Environment.objects.create(
        tenant=tenant,
        slug="live",
        name="live",
        environment_class="staging",
        blueprint="exposed",
        account=account,
    )
    digest = snapshots.current_snapshot("exposed").digest
    definition = Definition.objects.create(
        environment=place,
        number=1,
        blueprint="exposed",
        snapshot=digest,
        variables={"label": "x"},
        author=operator,
    )
    change = planned(place, operator, [], definition=definition)
    Change.objects.filter(pk=change.pk).update(status="succeeded", finished_at=timezone.now())
    _extras(place)
    _drift(place)
    return place


def _extras(place: Environment) -> None:
    now = timezone.now()
    LiveCheck.objects.create(
        environment=place, taken_at=now - timedelta(hours=2), error=DENIED, error_at=now, due_at=None
    )
    who = {"added_by": "Administrator/kim.very.long.name@example.com", "added_at": now - timedelta(hours=21)}
    policy = {"what": "managed_policy", "principal": "role", "name": "AdministratorAccess"}
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    attached = {**policy, "arn": arn, "document": DOCUMENT, "reason": "administrator"}
    world = rule("0.0.0.0/0", "world_private_port")
    extra(place, 96, LONG, "sg-0123456789abcdef0", "ingress from 0.0.0.0/0 tcp 5432", detail=world, **who)
    extra(
        place,
        100,
        "module.task_roles.aws_iam_role.this",
        "triflow-ai-production-ecs-task-role",
        arn,
        kind="policy_attachment",
        detail={**attached, "unknown": "nothing"},
    )
    near = rule("10.20.0.0/16", "inside")
    extra(place, 30, LONG, "sg-0123456789abcdef0", "ingress from 10.20.0.0/16 tcp 5432", detail=near, **who)
    extra(
        place,
        65,
        "module.storage.aws_s3_bucket.this",
        "triflow-ai-prod-210000000002",
        "block_public_acls is off",
        kind="public_access",
        detail={"what": "block", "switch": "block_public_acls", "reason": "block_off"},
        allowed_until=now + timedelta(days=3),
        settled_by="Security",
        reason="The partner's upload ends on Friday.",
    )


def _drift(place: Environment) -> None:
    sizes = {"path": "allocated_storage", "before": 200, "after": 100, "unknown": False, "sensitive": False}
    zones = {"path": "multi_az", "before": False, "after": True, "unknown": False, "sensitive": False}
    rows = [
        {"address": DATABASE, "action": "update", "total": 2, "attributes": [sizes, zones]},
        {"address": LONG, "action": "create", "total": 0, "attributes": []},
    ]
    DriftCheck.objects.create(
        environment=place, verdict="drifted", count=2, rows=rows, taken_at=timezone.now(), due_at=None
    )
    DriftIgnore.objects.create(
        environment=place,
        address=DATABASE,
        path="multi_az",
        action="update",
        reason="The second zone comes with the next maintenance window.",
        until=timezone.now() + timedelta(days=9),
        by="Operator",
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_tab_and_its_pages(open_page, place, security, operator, theme):
    worst = LiveExtra.objects.get(risk=96)
    pages = {
        "tab": TAB,
        "extra": f"{TAB}extras/{worst.pk}/",
        "policy": f"{TAB}extras/{LiveExtra.objects.get(risk=100).pk}/",
        "row": f"{TAB}row/?address={DATABASE}",
    }
    # Settles high risks and may ask for changes.
    operator.memberships.create(tenant=place.tenant, role="security")
    page = open_page(TAB, user=operator, width=1300, theme=theme)
    root = page.url.removesuffix(TAB)
    for name, path in pages.items():
        page.set_viewport_size({"width": 1300, "height": 900})
        page.goto(root + path)
        assert axe_findings(page) == [], name
        assert page.locator("h1").count() == 1, name
        for width in (1300, 360):
            page.set_viewport_size({"width": width, "height": 900})
            assert sideways(page) <= 0, (name, width)
            if SHOTS:
                page.screenshot(path=Path(SHOTS) / f"drift-{name}-{theme}-{width}.png", full_page=True)
    titles = page.goto(root + TAB) and page.locator("#extras th[scope=row] a").all_inner_texts()
    assert titles[0].startswith("AdministratorAccess")
    assert "0.0.0.0/0" in titles[1]


def test_enter_removes_nothing(open_page, place, operator):
    worst = LiveExtra.objects.get(risk=96)
    page = open_page(f"{TAB}extras/{worst.pk}/", user=operator)
    before = Change.objects.count()
    button = page.get_by_role("button", name="Propose its removal")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reason").first.focus()
    page.keyboard.press("Enter")
    assert page.url.endswith(f"extras/{worst.pk}/")
    assert Change.objects.count() == before
    button.click()
    page.wait_for_url("**/changes/*/")
    assert Change.objects.filter(kind="remove_extra").count() == 1
