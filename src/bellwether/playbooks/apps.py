from django.apps import AppConfig


class PlaybooksConfig(AppConfig):
    name = "bellwether.playbooks"
    label = "playbooks"

    def ready(self) -> None:
        from bellwether.playbooks.timeline_source import register

        register()
