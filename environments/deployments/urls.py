"""Addresses of the deployments pages."""

from django.urls import URLPattern, URLResolver

app_name = "deployments"
HERE = "environments/<slug:tenant>/<slug:slug>"
urlpatterns: list[URLPattern | URLResolver] = []
