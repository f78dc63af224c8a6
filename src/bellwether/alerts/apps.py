from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "bellwether.alerts"
    label = "alerts"

    def ready(self) -> None:
        from bellwether.alerts.registering import register

        register()
