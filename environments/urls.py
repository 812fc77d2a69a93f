"""Addresses of tenants, environments, people and AWS accounts."""

from django.urls import path

from environments.views import accounts, environments, tenants

app_name = "environments"
TENANT = "tenants/<slug:tenant>"
HERE = "environments/<slug:tenant>/<slug:slug>"
urlpatterns = [
    path("tenants/", tenants.tenant_list, name="tenants"),
    path("tenants/new/", tenants.create, name="tenant_create"),
    path(f"{TENANT}/", tenants.tenant, name="tenant"),
    path(f"{TENANT}/edit/", tenants.edit, name="tenant_edit"),
    path(f"{TENANT}/people/", tenants.members, name="members"),
    path(f"{TENANT}/accounts/", accounts.account_list, name="accounts"),
    path(f"{TENANT}/accounts/new/", accounts.create, name="account_create"),
    path(f"{TENANT}/accounts/<int:pk>/", accounts.edit, name="account_edit"),
    path(f"{TENANT}/environments/new/", environments.create, name="environment_create"),
    path("settings/aws-accounts/", accounts.mine, name="all_accounts"),
    path(f"{HERE}/", environments.detail, name="detail"),
    path(f"{HERE}/edit/", environments.edit, name="edit"),
    path(f"{HERE}/clone/", environments.clone, name="clone"),
    path(f"{HERE}/hold/", environments.hold, name="hold"),
    path(f"{HERE}/release/", environments.release, name="release"),
    path(f"{HERE}/retire/", environments.retire, name="retire"),
]
