from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "bellwether.web"
    label = "web"
