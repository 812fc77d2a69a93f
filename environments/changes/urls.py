"""Addresses of the changes pages."""

from django.urls import URLPattern

app_name = "changes"
urlpatterns: list[URLPattern] = []
