"""Addresses of the people pages, under accounts/."""

from django.urls import path

from portal.accounts.views import people, profile, sessions

app_name = "accounts"
urlpatterns = [
    path("sign-in/", sessions.sign_in, name="sign_in"),
    path("sign-out/", sessions.sign_out, name="sign_out"),
    path("password/", sessions.password, name="password"),
    path("profile/", profile.profile, name="profile"),
    path("tokens/", profile.tokens, name="tokens"),
    path("tokens/<slug:prefix>/revoke/", profile.revoke_token, name="token_revoke"),
    path("people/", people.people, name="people"),
    path("people/new/", people.new_person, name="person_new"),
    path("people/p/<str:username>/", people.person, name="person"),
    path("people/p/<str:username>/deactivate/", people.deactivate, name="person_deactivate"),
    path("people/p/<str:username>/reactivate/", people.reactivate, name="person_reactivate"),
    path("people/p/<str:username>/reset-password/", people.reset_password, name="person_reset_password"),
]
