from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "bellwether.common"
    label = "common"
