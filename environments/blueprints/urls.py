"""Addresses of blueprints and definitions."""

from django.urls import path

from environments.blueprints import views

app_name = "blueprints"
_ENVIRONMENT = "environments/<slug:tenant>/<slug:environment>"
urlpatterns = [
    path("blueprints/", views.blueprint_list, name="list"),
    path("blueprints/<slug:slug>/", views.blueprint_detail, name="detail"),
    path(f"{_ENVIRONMENT}/define/", views.define, name="define"),
    path(f"{_ENVIRONMENT}/definitions/", views.definitions, name="definitions"),
    path(f"{_ENVIRONMENT}/definitions/<int:number>/", views.definition, name="definition"),
    path(f"{_ENVIRONMENT}/compare/", views.compare, name="compare"),
]
