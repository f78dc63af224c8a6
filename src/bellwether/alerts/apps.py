from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "bellwether.alerts"
    label = "alerts"
