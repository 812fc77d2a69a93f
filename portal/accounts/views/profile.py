"""One's own profile and API tokens."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import actions
from portal.accounts.access import signed_in
from portal.accounts.forms import ProfileForm, TokenForm, show_error
from portal.accounts.models import ApiToken, User
from portal.accounts.principals import principal_of
from portal.core.clock import local_now
from portal.core.errors import GatehouseError
from portal.core.pagination import keyset_page

TOKENS_ON_A_PAGE = 50


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form, status = ProfileForm({"display_name": user.display_name, "time_zone": user.time_zone}), 200
    if request.method == "POST":
        form, status = ProfileForm(request.POST), 400
        if form.is_valid():
            try:
                actions.update_profile(by=principal_of(request), **form.cleaned_data)
                messages.success(request, _("Profile saved."))
                return redirect("accounts:profile")
            except GatehouseError as error:
                show_error(form, error)
    return render(
        request,
        "accounts/profile.html",
        {"section": "settings", "tab": "profile", "form": form},
        status=status,
    )


@signed_in
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The list; after a POST also the new token's text, this one time and in this answer only."""
    form, plain, status = TokenForm(), "", 200
    if request.method == "POST":
        form, status = TokenForm(request.POST), 400
        if form.is_valid():
            data = form.cleaned_data
            try:
                _token, plain = actions.create_token(
                    by=principal_of(request), name=data["name"], days=data["days"], scopes=form.scopes
                )
                form, status = TokenForm(), 201
            except GatehouseError as error:
                show_error(form, error)
    rows = keyset_page(
        ApiToken.objects.of(cast(User, request.user)).select_related("user"),
        ordering=("-created_at",),
        cursor=request.GET.get("cursor"),
        size=TOKENS_ON_A_PAGE,
    )
    context = {"section": "settings", "tab": "tokens", "form": form, "plain": plain, "page": rows}
    context["now"] = local_now()
    return render(request, "accounts/tokens.html", context, status=status)


@signed_in
@require_POST
def revoke_token(request: HttpRequest, prefix: str) -> HttpResponse:
    token = ApiToken.objects.select_related("user").filter(prefix=prefix).first()
    if token is None:
        raise Http404
    actions.revoke_token(by=principal_of(request), token=token)
    messages.success(request, _("Token “%(name)s” is revoked.") % {"name": token.name})
    if token.user == request.user:
        return redirect("accounts:tokens")
    return redirect("accounts:person", token.user.username)
