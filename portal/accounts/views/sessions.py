"""The door: signing in and out, and one's own password."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import actions
from portal.accounts.access import public, signed_in
from portal.accounts.forms import PasswordForm, SignInForm, show_error
from portal.accounts.principals import principal_of
from portal.core.errors import GatehouseError


def safe_next(request: HttpRequest) -> str:
    """Where to go after the door: the page asked for, if it is one of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else resolve_url(settings.LOGIN_REDIRECT_URL)


@public
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    onward = safe_next(request)
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(onward)
        return render(request, "accounts/sign_in.html", {"form": SignInForm(), "next": onward})
    form, status = SignInForm(request.POST), 400
    if form.is_valid():
        try:
            actions.sign_in(by=principal_of(request), request=request, **form.cleaned_data)
            return HttpResponseRedirect(onward)
        except GatehouseError as error:
            show_error(form, error)
            status = error.status
    return render(request, "accounts/sign_in.html", {"form": form, "next": onward}, status=status)


@public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    actions.sign_out(by=principal_of(request), request=request)
    messages.success(request, _("You are signed out."))
    return redirect("accounts:sign_in")


@signed_in
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            current, new = form.cleaned_data["current"], form.cleaned_data["new"]
            try:
                actions.change_password(by=principal_of(request), request=request, current=current, new=new)
                messages.success(request, _("Password changed. Your other sessions have ended."))
                return redirect("accounts:profile")
            except GatehouseError as error:
                show_error(form, error)
                status = error.status
    context = {"section": "settings", "tab": "password", "form": form}
    return render(request, "accounts/password.html", context, status=status)
