"""Every address of the portal. Each view declares who may open it; tests/test_access_rules.py walks them."""

from django.urls import include, path
from django.views.generic import RedirectView

from portal.accounts.access import signed_in
from portal.health import healthz, readyz
from portal.style_guide import style_guide

handler400 = "portal.core.error_pages.bad_request"
handler403 = "portal.core.error_pages.permission_denied"
handler404 = "portal.core.error_pages.page_not_found"
handler500 = "portal.core.error_pages.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", include("portal.api")),
    path("accounts/", include("portal.accounts.urls")),
    path("settings/", signed_in(RedirectView.as_view(pattern_name="accounts:profile")), name="settings"),
    path("style/", style_guide, name="style_guide"),
    # The rooms write their addresses in full: they share the tree below tenants/ and environments.
    path("", include("environments.overview.urls")),
    path("", include("environments.urls")),
    path("", include("environments.blueprints.urls")),
    path("", include("environments.changes.urls")),
    path("", include("environments.runs.urls")),
    path("", include("environments.deployments.urls")),
    path("", include("environments.activity.urls")),
]
