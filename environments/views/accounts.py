"""AWS accounts of a tenant."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from environments import actions
from environments.accounts import bucket_shortcomings
from environments.forms import AccountForm
from environments.models import AwsAccount
from environments.pages import find_tenant, person_of, tenant_context
from environments.permissions import refusal
from portal.accounts.access import signed_in
from portal.accounts.forms import show_error
from portal.accounts.principals import principal_of
from portal.core.errors import InvalidInput


@signed_in
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """All accounts that the person may see, among the settings."""
    rows = (
        AwsAccount.objects.visible_to(person_of(request))
        .select_related("tenant")
        .prefetch_related("environments")
    )
    return render(
        request, "environments/accounts.html", {"accounts": rows, "section": "settings", "tab": "aws"}
    )


@signed_in
@require_safe
def account_list(request: HttpRequest, tenant: str) -> HttpResponse:
    context = tenant_context(request, find_tenant(request, tenant))
    context |= {
        "accounts": context["tenant"].accounts.prefetch_related("environments"),
        "denied": refusal(context["roles"], "account.manage"),
    }
    return render(request, "environments/tenant_accounts.html", context)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, tenant: str) -> HttpResponse:
    found = find_tenant(request, tenant)
    form, status = AccountForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                made = actions.create_account(by=principal_of(request), tenant=found, **form.cleaned_data)
                _warn(request, made)
                return redirect("environments:accounts", found.slug)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = tenant_context(request, found)
    context |= {"form": form, "title": _("Register an AWS account")}
    context["denied"] = refusal(context["roles"], "account.manage")
    return render(request, "environments/form.html", context, status=status)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, tenant: str, pk: int) -> HttpResponse:
    found = find_tenant(request, tenant)
    account = found.accounts.filter(pk=pk).first()
    if account is None:
        raise Http404
    form, status = AccountForm(request.POST or None, instance=account), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            fresh = AwsAccount.objects.select_related("tenant").get(pk=pk)
            try:
                actions.update_account(by=principal_of(request), account=fresh, **form.cleaned_data)
                _warn(request, fresh)
                return redirect("environments:accounts", found.slug)
            except InvalidInput as wrong:
                show_error(form, wrong)
    context = tenant_context(request, found)
    context |= {"form": form, "title": _("Edit AWS account")}
    context["denied"] = refusal(context["roles"], "account.manage")
    return render(request, "environments/form.html", context, status=status)


def _warn(request: HttpRequest, account: AwsAccount) -> None:
    """Say at once what speaks against the bucket that was named; it is the person's choice."""
    for text in bucket_shortcomings(account):
        messages.warning(request, text)
