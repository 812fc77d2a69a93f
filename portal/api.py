"""/api/v1/: every room's part of the API in one place, and its OpenAPI document."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from environments.activity.api import api_urls as activity_urls
from environments.api import api_urls as environments_urls
from environments.blueprints.api import api_urls as blueprints_urls
from environments.changes.api import api_urls as changes_urls
from environments.deployments.api import api_urls as deployments_urls
from environments.deployments.front_ends.api import api_urls as front_end_urls
from environments.deployments.history.api import api_urls as deployment_history_urls
from environments.runs.api import api_urls as runs_urls
from environments.runs.drift.api import api_urls as drift_urls
from environments.runs.leftovers.api import api_urls as leftover_urls
from environments.runs.live.api import api_urls as live_urls
from environments.runs.states.api import api_urls as state_urls
from portal.accounts.access import Rule
from portal.accounts.api import api_urls as accounts_urls
from portal.accounts.permissions import DeclaredAccess


class Schema(SpectacularAPIView):
    access_rule: Rule = "signed_in"
    permission_classes = [DeclaredAccess]


app_name = "api"
urlpatterns = [
    path("schema/", Schema.as_view(), name="schema"),
    *accounts_urls,
    *environments_urls,
    *blueprints_urls,
    *changes_urls,
    *runs_urls,
    *leftover_urls,
    *drift_urls,
    *live_urls,
    *state_urls,
    *deployments_urls,
    *front_end_urls,
    *deployment_history_urls,
    *activity_urls,
]
