from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "bellwether.analytics"
    label = "analytics"

    def ready(self) -> None:
        from bellwether.analytics.alerts_source import register

        register()
