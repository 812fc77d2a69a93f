"""Addresses of the changes pages."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from portal.accounts.access import signed_in

app_name = "changes"


@signed_in
def soon(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("soon")


urlpatterns = [path("changes/<uuid:uuid>/", soon, name="detail")]
