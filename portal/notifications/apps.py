"""The notifications app: an outbox of messages, delivered apart from the act that sent them."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "portal.notifications"
    label = "notifications"
