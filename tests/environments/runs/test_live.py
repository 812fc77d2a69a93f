"""Looking at what Terraform does not see: the two openings of trap 9, who made them, and what a failed look keeps."""

from __future__ import annotations

import pytest

from environments.runs.models import LiveCheck, LiveExtra
from portal.audit.models import AuditEvent
from tests.environments.runs.scene import ADMINISTRATOR, READ_ONLY

pytestmark = pytest.mark.django_db


def test_the_database_port_and_the_administrator_show_up_with_who_did_it(scene):
    group, role = scene.group(), scene.role()
    scene.write_state()
    assert scene.look() == []
    scene.open_port(group)
    scene.by_hand("iam", "lee").attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
    scene.open_port(group, 8443, "10.1.0.0/16")
    administrator, port, quiet = scene.look()
    assert (administrator.resource_id, administrator.key, administrator.risk) == (role, ADMINISTRATOR, 100)
    assert (administrator.added_by, administrator.kind) == ("lee", "policy_attachment")
    assert (port.resource_id, port.key) == (group, "ingress from 0.0.0.0/0 tcp 5432")
    assert (port.added_by, port.risk) == ("kim", 96)
    assert port.added_at is not None
    assert quiet.risk < 60
    check = LiveCheck.objects.get()
    assert check.error == ""
    assert check.taken_at is not None
