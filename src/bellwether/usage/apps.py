from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "bellwether.usage"
    label = "usage"

    def ready(self) -> None:
        from bellwether.usage.history import keep_history

        keep_history()
