from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class ChurnConfig(AppConfig):
    name = "bellwether.churn"
    label = "churn"

    def ready(self) -> None:
        from bellwether.churn import telling, timeline_source

        telling.declare_events()
        timeline_source.register()
        pre_migrate.connect(_step_aside, sender=self)
        post_migrate.connect(_keep_guard, sender=self)


def _step_aside(using: str, plan: Any = None, **_: Any) -> None:
    """Take the triggers away before tables are remade (churn.guard)."""
    from bellwether.churn import guard

    if plan and guard.installed(connections[using]):
        guard.remove(connections[using])


def _keep_guard(using: str, **_: Any) -> None:
    from bellwether.churn import guard

    if guard.installed(connections[using]) and guard.missing(connections[using]):
        guard.install(connections[using])
