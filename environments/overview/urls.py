"""Addresses of the overview pages."""

from django.urls import path

from environments.overview import views

app_name = "overview"
urlpatterns = [
    path("", views.home, name="home"),
    path("inbox/", views.inbox, name="inbox"),
    path("search/", views.search, name="search"),
]
