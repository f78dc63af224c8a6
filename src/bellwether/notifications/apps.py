from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "bellwether.notifications"
    label = "notifications"
