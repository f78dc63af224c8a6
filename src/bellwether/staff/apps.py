from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "bellwether.staff"
    label = "staff"

    def ready(self) -> None:
        """Begin to log sign-ins."""
        from bellwether.staff import signals  # noqa: F401
