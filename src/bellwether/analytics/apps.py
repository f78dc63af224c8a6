from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "bellwether.analytics"
    label = "analytics"
