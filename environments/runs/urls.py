"""Addresses of the runs pages, and of the state backend that Terraform speaks to."""

from django.urls import path

from environments.runs.state_backend import StateBackend

app_name = "runs"
urlpatterns = [
    path("state/<slug:tenant>/<slug:slug>", StateBackend.as_view(), name="state_backend"),
]
