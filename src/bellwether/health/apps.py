from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = "bellwether.health"
    label = "health"

    def ready(self) -> None:
        from bellwether.health.timeline_scores import register

        register()
