from django.apps import AppConfig


class PlaybooksConfig(AppConfig):
    name = "bellwether.playbooks"
    label = "playbooks"
