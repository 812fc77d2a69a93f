"""Drift rows: ignored until a date, reverted by a change, accepted into the definition where a variable stands for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from environments.changes.models import Change
from environments.models import Definition, Environment
from environments.overview.queries import fleet
from environments.runs.blueprint_sources import parse_address
from environments.runs.drift import actions as drift_actions
from environments.runs.drift import rows as drift_rows
from environments.runs.drift.accept import steps_of
from environments.runs.models import DriftCheck, DriftIgnore, TerraformRun
from portal.audit.models import AuditEvent
from portal.core.errors import Conflict, InvalidInput, NotAllowed
from tests.cast import by
from tests.environments.runs.crafted import planned

pytestmark = pytest.mark.django_db
DATABASE = "module.guarded.aws_db_instance.this"
MANY = 'module.many["a"].aws_db_instance.this'
GONE = "terraform_data.gone"


def attribute(path, before, after, *, sensitive=False):
    return {"path": path, "before": before, "after": after, "unknown": False, "sensitive": sensitive}


def update(address, *attributes, **more):
    return {
        "address": address,
        "type": "x",
        "action": "update",
        "total": len(attributes),
        "attributes": list(attributes),
        **more,
    }


ROWS = [
    update(
        DATABASE,
        attribute("backup_retention_period", 1, 7),
        attribute("allocated_storage", 30, 20),
        attribute("multi_az", False, True),
        attribute("db_name", "other", "computed-main"),
        attribute("username", "root", "main-main"),
        attribute("port", 6, 5),
        attribute("password", None, None, sensitive=True),
        attribute("timeouts.create", "other", "main"),
        attribute("engine", "mysql", "postgres"),
        attribute("identifier", None, "main"),
    ),
    update(MANY, attribute("backup_retention_period", 99, 7), attribute("identifier", "b", "a")),
    {"address": GONE, "type": "terraform_data", "action": "create", "total": 0, "attributes": []},
]


@pytest.fixture
def place(tenant, operator, exposed):
    place = Environment.objects.create(
        tenant=tenant, slug="live", name="live", environment_class="staging", blueprint="exposed"
    )
    definition = Definition.objects.create(
        environment=place,
        number=1,
        blueprint="exposed",
        snapshot=exposed,
        variables={"label": "main", "settings": {"name": "kept", "size": 20}},
        sensitive={"password": "a secret that stays"},
        author=operator,
    )
    change = planned(place, operator, [], definition=definition)
    Change.objects.filter(pk=change.pk).update(status="succeeded", finished_at=timezone.now())
    DriftCheck.objects.create(
        environment=place, verdict="drifted", rows=ROWS, count=3, taken_at=timezone.now()
    )
    return place


def until(days=3):
    return timezone.now() + timedelta(days=days)


def ignore(place, who, address, path="", **more):
    options = {"until": until(), "reason": "known", **more}
    return drift_actions.ignore(by=by(who), environment=place, address=address, path=path, **options)


def accept(place, who, address, path):
    return drift_actions.accept(by=by(who), environment=place, address=address, path=path)


def counted(place):
    _check, judged = drift_rows.of(place)
    return judged.verdict, judged.count


def test_ignored_it_does_not_count_and_comes_back_after_its_end(place, operator):
    ignore(place, operator, GONE)
    assert counted(place) == ("drifted", 2)
    ignore(place, operator, MANY)
    ignore(place, operator, DATABASE)
    assert counted(place) == ("clean", 0)
    _check, judged = drift_rows.of(place)
    assert (judged.all_ignored, len(judged.ignored), list(judged.rows)) == (True, 3, [])
    DriftIgnore.objects.filter(address=MANY).update(until=timezone.now())
    assert counted(place) == ("drifted", 1)
    event = AuditEvent.objects.filter(action="drift.ignore").first()
    assert (event.outcome, event.after["why"]) == ("done", "known")


def test_one_attribute_leaves_the_others_standing(place, operator):
    ignore(place, operator, MANY, "identifier")
    _check, judged = drift_rows.of(place)
    left = next(row for row in judged.rows if row["address"] == MANY)
    assert [one["path"] for one in left["attributes"]] == ["backup_retention_period"]
    assert judged.count == 3
    ignore(place, operator, MANY, "backup_retention_period")
    assert counted(place) == ("drifted", 2)


def test_attributes_nobody_has_seen_are_not_ignored(place, operator):
    DriftCheck.objects.update(rows=[update(MANY, attribute("identifier", "b", "a"), total=60)], count=1)
    ignore(place, operator, MANY, "identifier")
    assert counted(place) == ("drifted", 1)


def test_rows_beyond_those_kept_are_not_ignored(place, operator):
    DriftCheck.objects.update(rows=ROWS[2:], count=400)
    ignore(place, operator, GONE)
    assert counted(place) == ("drifted", 399)


def test_other_drift_of_the_same_resource_shows_again(place, operator):
    """Who left a changed size alone has said nothing about a database that is gone."""
    ignore(place, operator, DATABASE)
    DriftCheck.objects.update(rows=[{**ROWS[0], "action": "create"}], count=1)
    assert counted(place) == ("drifted", 1)


@pytest.mark.parametrize(
    ("days", "reason", "field"), [(-1, "x", "until"), (400, "x", "until"), (3, " ", "reason")]
)
def test_an_ignore_has_a_reason_and_an_end_within_a_year(place, operator, days, reason, field):
    with pytest.raises(InvalidInput) as wrong:
        ignore(place, operator, GONE, until=until(days), reason=reason)
    assert list(wrong.value.errors) == [field]


def test_only_what_drifted_is_ignored_by_those_who_may(place, operator, viewer):
    for address, path in (("aws_x.y", ""), (MANY, "tags"), (GONE, "id")):
        with pytest.raises(Conflict):
            ignore(place, operator, address, path)
    with pytest.raises(NotAllowed):
        ignore(place, viewer, GONE)
    made = ignore(place, operator, GONE)
    drift_actions.end_ignore(by=by(operator), ignored=made)
    assert counted(place) == ("drifted", 3)
    with pytest.raises(Conflict, match="over"):
        drift_actions.end_ignore(by=by(operator), ignored=made)


def test_the_later_word_counts(place, operator):
    first = ignore(place, operator, GONE)
    ignore(place, operator, GONE, until=until(9))
    first.refresh_from_db()
    assert first.ended_at is not None
    assert drift_rows.active_ignores().count() == 1


def test_a_revert_applies_what_was_applied_to_that_address_alone(place, operator, viewer):
    Definition.objects.create(
        environment=place, number=2, blueprint="exposed", snapshot="0" * 64, author=operator
    )
    change = drift_actions.revert(by=by(operator), environment=place, address=MANY, reason="by hand")
    run = TerraformRun.objects.get(change=change)
    assert (run.mode, run.targets, run.definition.number) == ("apply", [MANY], 1)
    assert "-target" in change.reason
    assert "by hand" in change.reason
    with pytest.raises(Conflict):
        drift_actions.revert(by=by(operator), environment=place, address="aws_x.y")
    with pytest.raises(NotAllowed):
        drift_actions.revert(by=by(viewer), environment=place, address=MANY)


@pytest.mark.parametrize(
    ("address", "path", "variable", "value"),
    [
        (DATABASE, "backup_retention_period", "kept_days", 1),
        # Through an object, whose other parts stay as they are.
        (DATABASE, "allocated_storage", "settings", {"name": "kept", "size": 30}),
        (DATABASE, "timeouts.create", "label", "other"),
    ],
)
def test_what_a_variable_stands_for_becomes_the_next_definition(
    place, operator, address, path, variable, value
):
    made = accept(place, operator, address, path)
    assert (made.number, made.variables[variable]) == (2, value)
    others = {name: part for name, part in made.variables.items() if name != variable}
    first = place.definitions.get(number=1).variables
    assert others == {name: part for name, part in first.items() if name != variable}
    assert made.sensitive == {"password": "a secret that stays"}
    assert "Accepts drift" in made.note
    # Nothing is applied by that.
    assert Change.objects.count() == 1
    assert AuditEvent.objects.get(action="drift.accept").after["path"] == path
    with pytest.raises(Conflict, match="says so already"):
        accept(place, operator, address, path)


@pytest.mark.parametrize(
    ("address", "path", "reason"),
    [
        (DATABASE, "multi_az", "modules/guarded/main.tf, line 25, has it fixed"),
        (DATABASE, "port", "blueprints/exposed/main.tf, line 7, has it fixed"),
        (DATABASE, "db_name", "works it out"),
        (DATABASE, "username", "works it out"),
        (DATABASE, "password", "secret"),
        (DATABASE, "engine", "fills it in"),
        (DATABASE, "identifier", "no value"),
        (MANY, "identifier", "works it out"),
        (GONE, "id", "gone or would be replaced"),
        (MANY, "nothing", "no longer shows"),
    ],
)
def test_what_no_variable_stands_for_is_refused_with_the_reason(place, operator, address, path, reason):
    with pytest.raises(Conflict, match=reason):
        accept(place, operator, address, path)
    assert place.definitions.count() == 1


def test_an_accepted_value_obeys_the_variables_rules(place, operator, viewer):
    with pytest.raises(InvalidInput) as wrong:
        accept(place, operator, MANY, "backup_retention_period")
    assert "kept_days" in wrong.value.errors
    assert not AuditEvent.objects.filter(action="drift.accept", outcome="done").exists()
    with pytest.raises(NotAllowed):
        accept(place, viewer, DATABASE, "backup_retention_period")


@pytest.mark.parametrize(
    ("text", "modules", "name"),
    [
        ("aws_x.y", (), "y"),
        ("aws_x.y[0]", (), "y"),
        ('module.a["b.c[0]\\"d"].module.e[1].aws_x.y["module.z."]', (("a", True), ("e", True)), "y"),
    ],
)
def test_addresses_are_taken_apart(text, modules, name):
    found = parse_address(text)
    assert (found.modules, found.name) == (modules, name)


@pytest.mark.parametrize(
    "text", ["", "module.a", "data.aws_x.y", 'aws_x.y["open', "aws_x.y.z", "module.a.b.c.d"]
)
def test_what_is_no_address_is_none(text):
    found = parse_address(text)
    assert found is None


def test_paths_are_taken_apart():
    assert steps_of('rule[0].tags["a b"].x') == ["rule", 0, "tags", "a b", "x"]
    assert steps_of("") == []
    assert steps_of("a..[") is None


def row_page(address):
    return reverse("runs:drift_row", args=["triflow", "live"]) + f"?address={address}"


def test_the_page_of_a_row(sign_in, place, operator, viewer, outsider):
    client = sign_in(operator)
    tab = reverse("runs:drift", args=["triflow", "live"])
    assert b"3 resources drifted" in client.get(tab).content
    text = client.get(row_page(DATABASE)).content.decode()
    assert "kept_days from 7 to 1" in text
    assert "has it fixed" in text
    assert client.get(row_page("aws_x.y")).status_code == 404
    assert sign_in(outsider).get(row_page(DATABASE)).status_code == 404
    address = {"address": DATABASE}
    wrong = client.post(row_page(DATABASE), {**address, "act": "ignore", "ignore-until": ""})
    assert wrong.status_code == 400
    late = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    values = {"act": "ignore", "ignore-path": "multi_az", "ignore-until": late, "ignore-reason": "known"}
    answer = client.post(row_page(DATABASE), {**address, **values}, follow=True)
    assert b"comes back by itself" in answer.content
    made = DriftIgnore.objects.get()
    end = reverse("runs:drift_ignore_end", args=["triflow", "live", made.pk])
    assert sign_in(viewer).post(end).status_code == 403
    assert client.get(end).status_code == 405
    client.post(end)
    assert drift_rows.active_ignores().count() == 0
    values = {"act": "accept", "accept-path": "backup_retention_period", "accept-note": "as it is"}
    answer = client.post(row_page(DATABASE), {**address, **values})
    assert answer["Location"].endswith("/definitions/2/")
    answer = client.post(row_page(MANY), {"address": MANY, "act": "revert", "revert-reason": ""})
    assert answer["Location"].startswith("/changes/")
    assert client.post(row_page(MANY), {"address": MANY, "act": "dance"}).status_code == 400
    assert sign_in(viewer).post(row_page(MANY), {"address": MANY, "act": "revert"}).status_code == 403


def test_the_api(api, place, operator, viewer, outsider):
    root = "/api/v1/environments/triflow.live/drift/"
    person = api(operator)
    wanted = {"address": GONE, "until": until().isoformat(), "reason": "known"}
    assert api(viewer).post(root + "ignores/", wanted, format="json").status_code == 403
    assert api(outsider).post(root + "ignores/", wanted, format="json").status_code == 404
    made = person.post(root + "ignores/", wanted, format="json")
    assert (made.status_code, made.json()["action"]) == (201, "create")
    shown = person.get(root).json()
    assert (shown["verdict"], shown["count"]) == ("drifted", 2)
    assert [row["address"] for row in shown["ignored"]] == [GONE]
    assert shown["ignores"][0]["reason"] == "known"
    assert person.post(f"{root}ignores/{made.json()['id']}/end/").status_code == 200
    assert person.post(f"{root}ignores/{made.json()['id']}/end/").status_code == 409
    change = person.post(root + "revert/", {"address": MANY}, format="json")
    assert (change.status_code, change.json()["details"]["targets"]) == (201, [MANY])
    accepted = {"address": DATABASE, "path": "backup_retention_period"}
    assert person.post(root + "accept/", accepted, format="json").json()["number"] == 2
    refused = person.post(root + "accept/", {**accepted, "path": "multi_az"}, format="json")
    assert (refused.status_code, "fixed" in refused.json()["detail"]) == (409, True)
    assert person.get(root + "accept/").status_code == 405


def test_the_fleet_leaves_out_what_is_ignored(place, operator):
    def texts():
        (row,) = fleet(Environment.objects.filter(pk=place.pk))
        return [chip.text for _column, chip in row.cells if chip]

    assert "3 resources drifted" in texts()
    for row in ROWS:
        ignore(place, operator, row["address"])
    assert "0 resources, no drift" in texts()
