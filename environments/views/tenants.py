"""Tenants: the list, one tenant, its people."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from environments import actions
from environments.forms import NewTenantForm, RoleForm, TenantForm
from environments.models import Membership, Role, Tenant
from environments.pages import find_tenant, person_of, tenant_context
from environments.permissions import refusal
from environments.registry import registry
from portal.accounts.access import portal_admin, signed_in
from portal.accounts.forms import show_error
from portal.accounts.models import User
from portal.accounts.principals import principal_of
from portal.core.errors import GatehouseError, InvalidInput

PEOPLE_SHOWN = 12


@signed_in
@require_safe
def tenant_list(request: HttpRequest) -> HttpResponse:
    live = Count("environments", filter=Q(environments__retired_at=None))
    rows = Tenant.objects.visible_to(person_of(request)).annotate(environment_count=live)
    return render(request, "environments/tenants.html", {"tenants": rows, "section": "tenants"})


@signed_in
@require_safe
def tenant(request: HttpRequest, tenant: str) -> HttpResponse:
    found = find_tenant(request, tenant)
    rows = list(found.environments.select_related("tenant", "account").order_by("retired_at", "slug"))
    columns = registry.sorted_columns()
    cells = [(column, column.cells(rows)) for column in columns]
    people: dict[int, list[str]] = {}
    members = Membership.objects.filter(tenant=found, user__is_active=True).select_related("user")
    names = {row.user_id: row.user for row in members}
    for row in members:
        people.setdefault(row.user_id, []).append(str(Role(row.role).label))
    context = tenant_context(request, found)
    context |= {
        "columns": columns,
        "rows": [(row, [chips.get(row.pk) for _column, chips in cells]) for row in rows],
        "people": [(names[pk], roles) for pk, roles in people.items()][:PEOPLE_SHOWN],
        "people_more": len(people) - PEOPLE_SHOWN,
        "may_not_create": refusal(context["roles"], "environment.create"),
        "may_edit": refusal(context["roles"], "tenant.update") is None,
        "accounts": found.accounts.all(),
    }
    return render(request, "environments/tenant.html", context)


@portal_admin
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form, status = NewTenantForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = actions.create_tenant(by=principal_of(request), **form.cleaned_data)
                return redirect("environments:tenant", made.slug)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = {"form": form, "title": _("Take in a tenant"), "section": "tenants"}
    return render(request, "environments/form.html", context, status=status)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, tenant: str) -> HttpResponse:
    found = find_tenant(request, tenant)
    form, status = TenantForm(request.POST or None, instance=found), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            fresh = Tenant.objects.get(pk=found.pk)
            try:
                actions.update_tenant(by=principal_of(request), tenant=fresh, **form.cleaned_data)
                return redirect("environments:tenant", found.slug)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = tenant_context(request, find_tenant(request, tenant))
    context |= {"form": form, "title": _("Edit %(tenant)s") % {"tenant": context["tenant"]}}
    context["denied"] = refusal(context["roles"], "tenant.update")
    return render(request, "environments/form.html", context, status=status)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, tenant: str) -> HttpResponse:
    """Who has which role; giving (POST) and taking (POST with revoke=1)."""
    found = find_tenant(request, tenant)
    form, status = RoleForm(), 200
    if request.method == "POST":
        form, status = RoleForm(request.POST), 400
        if form.is_valid() and _change_role(request, found, form):
            return redirect("environments:members", found.slug)
    held: dict[int, list[Membership]] = {}
    rows = Membership.objects.filter(tenant=found).select_related("user").order_by("user__username", "role")
    for row in rows:
        held.setdefault(row.user_id, []).append(row)
    context = tenant_context(request, found)
    context |= {"form": form, "people": [(row[0].user, row) for row in held.values()]}
    context["denied"] = refusal(context["roles"], "membership.manage")
    return render(request, "environments/members.html", context, status=status)


def _change_role(request: HttpRequest, tenant: Tenant, form: RoleForm) -> bool:
    by, role = principal_of(request), form.cleaned_data["role"]
    user = User.objects.filter(username=form.cleaned_data["username"]).first()
    if user is None:
        form.add_error("username", _("Nobody has this user name."))
        return False
    said = {"role": Role(role).label, "person": user}
    try:
        if request.POST.get("revoke"):
            actions.revoke_role(by=by, tenant=tenant, user=user, role=role)
            messages.success(request, _("%(role)s is taken from %(person)s.") % said)
        else:
            actions.grant_role(by=by, tenant=tenant, user=user, role=role)
            messages.success(request, _("%(person)s is %(role)s now.") % said)
    except InvalidInput as wrong:
        show_error(form, wrong)
        return False
    except GatehouseError as refused:
        if refused.status != 409:
            raise
        show_error(form, refused)
        return False
    return True
