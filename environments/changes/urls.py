"""Addresses of the changes pages."""

from django.urls import path

from environments.changes import emergency_views, retry_views, views
from environments.changes.policy_views import policy

app_name = "changes"
HERE = "environments/<slug:tenant>/<slug:slug>"
urlpatterns = [
    path("changes/", views.change_list, name="list"),
    path("changes/<uuid:uuid>/", views.detail, name="detail"),
    path("changes/<uuid:uuid>/live/", views.live, name="live"),
    path("changes/<uuid:uuid>/comment/", views.comment, name="comment"),
    path("changes/<uuid:uuid>/log/", views.log_part, name="log"),
    path("changes/<uuid:uuid>/log/search/", views.log_search, name="log_search"),
    path("changes/<uuid:uuid>/log.txt", views.log_download, name="log_download"),
    path("changes/<uuid:uuid>/act/<slug:name>/", views.act, name="act"),
    path("changes/<uuid:uuid>/break-glass/", emergency_views.break_glass, name="break_glass"),
    path("changes/<uuid:uuid>/retry/", retry_views.retry, name="retry"),
    path("changes/<uuid:uuid>/differences/", retry_views.differences, name="differences"),
    path("changes/<uuid:uuid>/review/", emergency_views.review, name="review"),
    path(f"{HERE}/changes/", views.of_environment, name="of_environment"),
    path(f"{HERE}/policy/", policy, name="policy"),
]
