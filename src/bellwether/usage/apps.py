from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "bellwether.usage"
    label = "usage"
