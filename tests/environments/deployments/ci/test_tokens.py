"""Tokens of build pipelines: made by operators for one environment, good for deployments there and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from environments.changes.policies import edit_policy
from environments.deployments.ci.token_actions import issue_deploy_token, revoke_deploy_token
from environments.models import Environment, Tenant
from environments.runs.states.token_actions import state_tokens
from portal.accounts.actions import create_token
from portal.accounts.models import ApiToken, User
from portal.accounts.principals import Principal
from portal.audit.models import AuditEvent
from portal.core.errors import InvalidInput, NotAllowed
from tests.cast import by

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(tenant: Tenant) -> Environment:
    return Environment.objects.create(tenant=tenant, slug="here", name="here", environment_class="staging")


@pytest.fixture
def there(tenant: Tenant) -> Environment:
    return Environment.objects.create(tenant=tenant, slug="there", name="there", environment_class="staging")


def address(environment: Environment) -> str:
    return reverse("deployments:pipeline", args=[environment.tenant.slug, environment.slug])


def with_token(plain: str) -> Client:
    return Client(headers={"Authorization": f"Token {plain}"})


def made(client: Client, environment: Environment, **fields: Any) -> Any:
    return client.post(address(environment), {"name": "actions", "days": 30, **fields})


def test_made_shown_once_and_recorded(here: Environment, operator: User, client: Client) -> None:
    client.force_login(operator)
    answer = made(client, here)
    assert answer.status_code == 201
    token = ApiToken.objects.get()
    assert (token.user, token.scopes, token.environment_id) == (operator, ["deploy"], here.key)
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    plain = answer.context["plain"]
    assert plain in answer.content.decode()
    assert plain not in client.get(address(here)).content.decode()
    event = AuditEvent.objects.get(action="deployment.token")
    assert (event.actor_id, event.environment, event.after["name"]) == ("operator", "here", "actions")
    assert plain not in repr(AuditEvent.objects.values_list("after", flat=True))


@pytest.mark.parametrize("who", ["viewer", "approver", "auditor"])
def test_others_may_not_and_are_told_who_may(
    here: Environment, client: Client, request: pytest.FixtureRequest, who: str
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert b"Make the token" not in client.get(address(here)).content
    answer = made(client, here)
    assert answer.status_code == 403
    assert "Operator" in answer.content.decode()
    assert not ApiToken.objects.exists()
    assert AuditEvent.objects.filter(action="deployment.token", outcome="refused").exists()


def test_an_admin_who_may_not_request_gets_none_in_their_own_name(here: Environment, admin: User) -> None:
    with pytest.raises(NotAllowed, match="may not request changes"):
        issue_deploy_token(by=by(admin), environment=here, name="actions", days=1)


def test_who_may_not_see_the_environment_finds_nothing(
    here: Environment, outsider: User, client: Client
) -> None:
    assert client.get(address(here)).status_code == 302
    client.force_login(outsider)
    assert client.get(address(here)).status_code == made(client, here).status_code == 404
    client.force_login(outsider)
    assert client.delete(address(here)).status_code == 405


@pytest.mark.parametrize(
    ("wrong", "field"), [({"name": ""}, "name"), ({"days": 0}, "days"), ({"days": 9999}, "days")]
)
def test_wrong_input_names_its_field_and_keeps_the_rest(
    here: Environment, operator: User, client: Client, wrong: dict[str, Any], field: str
) -> None:
    client.force_login(operator)
    answer = made(client, here, **wrong)
    assert answer.status_code == 400
    assert answer.context["form"].errors[field]
    assert not ApiToken.objects.exists()


def test_a_token_makes_none(here: Environment, operator: User) -> None:
    token, _plain = create_token(by=by(operator), name="mine", days=1)
    acting = Principal(operator, "token", token=token, name="operator (token mine)")
    with pytest.raises(NotAllowed, match="Sign in"):
        issue_deploy_token(by=acting, environment=here, name="more", days=1)


def test_it_is_for_one_environment_only_and_has_no_other_scope(operator: User, here: Environment) -> None:
    for scopes, place in ((["deploy"], ""), (["deploy", "write"], here.key)):
        with pytest.raises(InvalidInput, match="one environment"):
            create_token(by=by(operator), name="x", days=1, scopes=scopes, environment_id=place)


def test_it_opens_nothing_but_deployments(here: Environment, there: Environment, operator: User) -> None:
    _token, plain = issue_deploy_token(by=by(operator), environment=here, name="actions", days=1)
    pipeline = with_token(plain)
    closed = [
        ("get", "/api/v1/environments/"),
        ("get", f"/api/v1/environments/{here.key}/outputs/"),
        ("get", f"/api/v1/environments/{here.key}/state-versions/"),
        ("get", "/api/v1/changes/"),
        ("get", "/api/v1/users/"),
        ("get", "/api/v1/tokens/"),
        ("post", "/api/v1/tokens/"),
        ("post", f"/api/v1/environments/{here.key}/runs/"),
        ("post", f"/api/v1/environments/{there.key}/deployments/"),
    ]
    for method, path in closed:
        answer = getattr(pipeline, method)(path, {}, content_type="application/json")
        assert answer.status_code in {403, 404}, (method, path, answer.status_code)
    backend = reverse("runs:state_backend", args=[here.tenant.slug, here.slug])
    assert pipeline.get(backend).status_code in {401, 403}


def test_it_reads_changes_of_its_environment_and_no_others(
    here: Environment, there: Environment, operator: User, admin: User
) -> None:
    _token, plain = issue_deploy_token(by=by(operator), environment=here, name="actions", days=1)
    gates = [{"name": "Approval", "roles": ["approver"], "votes": 1, "when": {"always": True}}]
    mine, other = (edit_policy(by=by(admin), environment=place, gates=gates) for place in (here, there))
    pipeline = with_token(plain)
    assert pipeline.get(f"/api/v1/changes/{mine.uuid}/").status_code == 200
    assert pipeline.get(f"/api/v1/changes/{mine.uuid}/log/").status_code == 200
    assert pipeline.get(f"/api/v1/changes/{other.uuid}/").status_code == 404
    for act in ("approve", "cancel", "start", "kill"):
        assert pipeline.post(f"/api/v1/changes/{mine.uuid}/{act}/").status_code == 403


def test_revoked_at_once_by_any_operator_here(
    here: Environment, there: Environment, operator: User, operator2: User, client: Client
) -> None:
    token, plain = issue_deploy_token(by=by(operator), environment=here, name="actions", days=1)
    with pytest.raises(InvalidInput):
        revoke_deploy_token(by=by(operator2), environment=there, prefix=token.prefix)
    client.force_login(operator2)
    page = reverse("deployments:pipeline_revoke", args=[here.tenant.slug, here.slug, token.prefix])
    assert client.get(page).status_code == 405
    assert client.post(page).status_code == 302
    assert with_token(plain).get("/api/v1/changes/").status_code == 401
    assert AuditEvent.objects.filter(action="deployment.token_revoke", outcome="done").exists()
    client.post(page)
    assert AuditEvent.objects.filter(action="token.revoke").count() == 1


def test_it_is_not_listed_as_one_that_writes_the_state(here: Environment, operator: User) -> None:
    issue_deploy_token(by=by(operator), environment=here, name="actions", days=1)
    assert not state_tokens(here).exists()
