"""The room of people: who they are, how they sign in, which tokens act for them."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    label = "accounts"
