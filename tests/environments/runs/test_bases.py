"""Whatever a plan was made from has to be the same when it is applied; else it is planned again."""

from __future__ import annotations

import pytest
from django.db import connection

from environments.changes.models import Artefact, Change
from environments.models import AwsAccount, Definition, Environment
from environments.runs import bases, planning
from environments.runs.models import StateVersion, TerraformRun
from environments.runs.states import store
from environments.runs.workspace import ARCHIVE
from tests.environments.runs.crafted import defined, planned, row

pytestmark = pytest.mark.django_db
ROLE = "arn:aws:iam::111111111111:role/gatehouse"


@pytest.fixture
def place(tenant):
    account = AwsAccount.objects.create(tenant=tenant, name="main", account_id="1" * 12, role_arn=ROLE)
    return Environment.objects.create(
        tenant=tenant, slug="p", name="p", environment_class="staging", account=account, region="eu-west-1"
    )


def version(place, number, *, serial, body=b"{}", md5="a" * 32, lineage="one"):
    return StateVersion.objects.create(
        environment=place,
        number=number,
        lineage=lineage,
        serial=serial,
        md5=md5,
        size=len(body),
        resource_count=0,
        content=body,
        written_by="test",
    )


@pytest.fixture
def change(place, operator):
    """Planned on the state and account that are there, with its folder kept."""
    version(place, 1, serial=4)
    made = planned(place, operator, [row("aws_s3_bucket.a", "create")])
    folder = b"the folder"
    record = TerraformRun.objects.select_related("definition__environment__account__tenant").get(change=made)
    proposal = made.proposal
    proposal.base = bases.base_of(record, store.position(place), {}, plan_sha256="p", folder=folder)
    proposal.save()
    Artefact.objects.filter(proposal=proposal).update(name="other")
    Artefact.objects.create(change=made, proposal=proposal, name=ARCHIVE, sha256="p", content=folder)
    return made


def moved(change):
    return bases.moved(Change.objects.for_lists().get(pk=change.pk))


def test_untouched_it_stands(change):
    assert moved(change) is None


@pytest.mark.parametrize(
    ("serial", "md5", "lineage"),
    [(5, "b" * 32, "one"), (4, "b" * 32, "one"), (4, "a" * 32, "two"), (3, "b" * 32, "one")],
    ids=["another run's write", "another content under the same serial", "an import", "a rollback"],
)
def test_a_state_that_moved(change, place, serial, md5, lineage):
    version(place, 2, serial=serial, md5=md5, lineage=lineage)
    assert "state has moved" in moved(change)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account_id", "2" * 12),
        ("kind", "aws"),
        ("role_arn", "arn:aws:iam::111111111111:role/other"),
        ("external_id", "x"),
    ],
)
def test_an_account_that_changed(change, place, field, value):
    AwsAccount.objects.filter(pk=place.account.pk).update(**{field: value})
    assert "account" in moved(change)


def test_another_account_of_the_same_number_but_another_role(change, place, tenant):
    other = AwsAccount.objects.create(tenant=tenant, name="b", account_id="1" * 12, role_arn=ROLE + "2")
    Environment.objects.filter(pk=place.pk).update(account=other)
    assert "role" in moved(change)
    Environment.objects.filter(pk=place.pk).update(account=None)
    assert "account" in moved(change)


def test_a_region_that_changed(change, place):
    Environment.objects.filter(pk=place.pk).update(region="us-east-1")
    assert "region" in moved(change)


def test_another_definition_behind_the_run(change, place, operator):
    TerraformRun.objects.filter(change=change).update(definition=defined(place, operator, 2))
    assert "definition" in moved(change)


@pytest.mark.parametrize("field", ["variables", "sensitive", "snapshot"])
def test_a_definition_altered_behind_the_portals_back(change, place, field):
    """Its model refuses that, a hand in the database does not."""
    definition = change.terraform_run.definition
    table = definition._meta.db_table
    if field == "sensitive":
        made = Definition.objects.create(
            environment=place, number=2, author=definition.author, sensitive={"password": "other"}
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT sensitive FROM {table} WHERE id = %s", [made.pk])
            (value,) = cursor.fetchone()
    else:
        value = '{"size": "larger"}' if field == "variables" else "f" * 64
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {field} = %s WHERE id = %s", [value, definition.pk])
    assert moved(change) is not None


@pytest.mark.parametrize(
    "fields", [{"mode": "destroy"}, {"targets": ["a.b"]}, {"replace": ["a.b"]}, {"skip_final_snapshot": True}]
)
def test_a_request_altered_behind_the_portals_back(change, fields):
    TerraformRun.objects.filter(change=change).update(**fields)
    assert "asks for" in moved(change)


def test_a_folder_that_is_gone_altered_or_unreadable(change):
    kept = Artefact.objects.get(proposal=change.proposal, name=ARCHIVE)
    kept.content = b"the folder, with one line more"
    kept.save()
    assert "not the one that was approved" in moved(change)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT content FROM {kept._meta.db_table} WHERE id = %s", [kept.pk])
        token = bytes(cursor.fetchone()[0])
        broken = token[:-1] + bytes([token[-1] ^ 1])
        cursor.execute(f"UPDATE {kept._meta.db_table} SET content = %s WHERE id = %s", [broken, kept.pk])
    assert "cannot be read" in moved(change)
    Artefact.objects.filter(pk=kept.pk).delete()
    assert "gone" in moved(change)


def test_a_vote_for_the_sandbox_is_none_for_the_real_account_of_the_same_number(change, place):
    """The proposal's digest names which AWS it is, so votes do not survive the switch."""
    record = TerraformRun.objects.get(change=change)
    before = planning._context(record).account_id
    AwsAccount.objects.filter(pk=place.account.pk).update(kind="aws")
    assert planning._context(TerraformRun.objects.get(change=change)).account_id != before
