"""Addresses of the deployments pages."""

from django.urls import URLPattern, URLResolver, path

from environments.deployments.ci import views as ci_views
from environments.deployments.front_ends import views as front_end_views
from environments.deployments.history import views as history_views
from environments.deployments.requests import other_views as asking_views
from environments.deployments.requests import views as request_views
from environments.deployments.rollbacks import views as rollback_views
from environments.deployments.tab import views as tab_views

app_name = "deployments"
HERE = "environments/<slug:tenant>/<slug:slug>"
urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{HERE}/services/", tab_views.services, name="services"),
    path(f"{HERE}/services/look/", tab_views.look, name="services_look"),
    # Any name may stand here: below a word of its own, a service cannot hide another page.
    path(f"{HERE}/service/<path:service>/", tab_views.service, name="service"),
    path(f"{HERE}/deployments/", history_views.history, name="history"),
    path(f"{HERE}/deployments/rollback/", rollback_views.rollback, name="rollback"),
    path(f"{HERE}/deployments/new/", request_views.request_deployment, name="request"),
    path(f"{HERE}/deployments/images/", request_views.images, name="images"),
    path(f"{HERE}/deployments/restart/", asking_views.restart, name="restart"),
    path(f"{HERE}/deployments/scale/", asking_views.scale, name="scale"),
    path(f"{HERE}/deployments/promote/", asking_views.promote, name="promote"),
    path(f"{HERE}/services/pipeline/", ci_views.pipeline, name="pipeline"),
    path(f"{HERE}/services/pipeline/<slug:prefix>/revoke/", ci_views.revoke, name="pipeline_revoke"),
    path(f"{HERE}/front-ends/", front_end_views.front_ends, name="front_ends"),
    path(f"{HERE}/front-ends/<int:release>/rollback/", front_end_views.rollback, name="front_end_rollback"),
]
