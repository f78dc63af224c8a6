from django.apps import AppConfig


class MilestonesConfig(AppConfig):
    name = "bellwether.milestones"
    label = "milestones"

    def ready(self) -> None:
        from bellwether.milestones.timeline_source import register

        register()
