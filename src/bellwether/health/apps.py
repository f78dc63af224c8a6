from django.apps import AppConfig


class HealthConfig(AppConfig):
    name = "bellwether.health"
    label = "health"
