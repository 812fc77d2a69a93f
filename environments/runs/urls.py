"""Addresses of the runs pages, and of the state backend that Terraform speaks to."""

from django.urls import path

from environments.runs import views
from environments.runs.drift import row_views
from environments.runs.drift import views as drift_views
from environments.runs.leftovers import views as leftover_views
from environments.runs.live import views as live_views
from environments.runs.states import recover_views, room_views
from environments.runs.states import views as state_views
from environments.runs.states.backend import StateBackend

app_name = "runs"
HERE = "environments/<slug:tenant>/<slug:slug>"
urlpatterns = [
    path("state/<slug:tenant>/<slug:slug>", StateBackend.as_view(), name="state_backend"),
    path("changes/<uuid:uuid>/resources/", views.resource_changes, name="resource_changes"),
    path("changes/<uuid:uuid>/leftovers/import/", leftover_views.import_all, name="leftovers_import"),
    path("changes/<uuid:uuid>/leftovers/<int:pk>/<slug:act>/", leftover_views.leftover, name="leftover"),
    path(f"{HERE}/runs/new/", views.request_run, name="request"),
    path(f"{HERE}/resources/", views.resources, name="resources"),
    path(f"{HERE}/outputs/", views.outputs, name="outputs"),
    path(f"{HERE}/drift/", drift_views.drift_tab, name="drift"),
    path(f"{HERE}/drift/row/", row_views.drift_row, name="drift_row"),
    path(f"{HERE}/drift/ignores/<int:pk>/end/", drift_views.end_ignore, name="drift_ignore_end"),
    path(f"{HERE}/drift/extras/<int:pk>/", live_views.extra_page, name="extra"),
    path(f"{HERE}/drift/check/", drift_views.check_drift, name="drift_check"),
    path(f"{HERE}/states/", state_views.versions, name="state_versions"),
    path(f"{HERE}/states/recover/", recover_views.recover, name="state_recover"),
    path(f"{HERE}/states/compare/", state_views.compare, name="state_compare"),
    path(f"{HERE}/states/unlock/", state_views.unlock, name="unlock"),
    path(f"{HERE}/states/lock/", room_views.lock, name="state_lock"),
    path(f"{HERE}/states/release/", room_views.release, name="state_release"),
    path(f"{HERE}/states/import/", room_views.import_state, name="state_import"),
    path(f"{HERE}/states/terraform/", room_views.command_line, name="state_cli"),
    path(
        f"{HERE}/states/terraform/<slug:prefix>/revoke/",
        room_views.revoke_token,
        name="state_token_revoke",
    ),
    path(f"{HERE}/states/<int:number>/rollback/", room_views.rollback, name="state_rollback"),
    path(f"{HERE}/states/<int:number>/download/", state_views.download, name="state_download"),
]
