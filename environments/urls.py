"""Addresses of the environments pages."""

from django.urls import URLPattern

app_name = "environments"
urlpatterns: list[URLPattern] = []
