from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "bellwether.api"
    label = "api"
