"""Somebody changes how they are called and which clock they read."""

from django.test import Client

from portal.accounts.models import User

PAGE = "/accounts/profile/"


def test_saves_name_and_zone_and_is_audited(sign_in, operator, events):
    response = sign_in(operator).post(PAGE, {"display_name": " Olive ", "time_zone": "Europe/Berlin"})
    assert response.status_code == 302
    operator.refresh_from_db()
    assert (operator.display_name, operator.time_zone) == ("Olive", "Europe/Berlin")
    [event] = events("person.update")
    assert event.before == {"display_name": "Operator", "time_zone": ""}
    assert event.after == {"display_name": "Olive", "time_zone": "Europe/Berlin"}


def test_the_same_twice_is_one_record(sign_in, operator, events):
    client = sign_in(operator)
    for _press in range(2):
        client.post(PAGE, {"display_name": "Olive", "time_zone": ""})
    assert len(events("person.update")) == 1


def test_an_unknown_zone_is_refused_and_nothing_typed_is_lost(sign_in, operator):
    response = sign_in(operator).post(PAGE, {"display_name": "Olive", "time_zone": "Mars/Olympus"})
    assert response.status_code == 400
    assert "Olive" in response.content.decode()
    operator.refresh_from_db()
    assert operator.display_name == "Operator"


def test_nobody_makes_themselves_an_administrator_here(sign_in, operator):
    sign_in(operator).post(PAGE, {"display_name": "Olive", "time_zone": "", "is_portal_admin": "on"})
    assert not User.objects.get(pk=operator.pk).is_portal_admin


def test_times_follow_the_zone(sign_in, operator):
    operator.time_zone = "Europe/Berlin"
    operator.save()
    response = sign_in(operator).get(PAGE)
    assert response.context["display_tz"] == "Europe/Berlin"


def test_others_see_the_portals_zone(sign_in, operator, settings):
    settings.DEFAULT_DISPLAY_TIME_ZONE = "Asia/Seoul"
    assert sign_in(operator).get(PAGE).context["display_tz"] == "Asia/Seoul"


def test_strangers_other_methods_and_other_sites(client, sign_in, operator):
    assert client.post(PAGE, {"display_name": "x"}).status_code == 302
    assert sign_in(operator).put(PAGE).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(operator)
    assert careful.post(PAGE, {"display_name": "x"}).status_code == 403
    operator.refresh_from_db()
    assert operator.display_name == "Operator"
