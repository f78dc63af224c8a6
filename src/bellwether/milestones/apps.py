from django.apps import AppConfig


class MilestonesConfig(AppConfig):
    name = "bellwether.milestones"
    label = "milestones"
