"""Addresses of the activity pages."""

from django.urls import path

from environments.activity import views

app_name = "activity"
urlpatterns = [
    path("activity/", views.event_list, name="list"),
    path("activity/export/", views.export_events, name="export"),
    path("activity/<uuid:uuid>/", views.event, name="event"),
    path("environments/<slug:tenant>/<slug:slug>/activity/", views.of_environment, name="of_environment"),
]
