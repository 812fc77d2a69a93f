"""Addresses of the deployments pages."""

from django.urls import URLPattern, URLResolver, path

from environments.deployments.ci import views as ci_views

app_name = "deployments"
HERE = "environments/<slug:tenant>/<slug:slug>"
urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{HERE}/services/pipeline/", ci_views.pipeline, name="pipeline"),
    path(f"{HERE}/services/pipeline/<slug:prefix>/revoke/", ci_views.revoke, name="pipeline_revoke"),
]
