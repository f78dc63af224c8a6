from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class PortfolioConfig(AppConfig):
    name = "bellwether.portfolio"
    label = "portfolio"

    def ready(self) -> None:
        from bellwether.portfolio import timeline_records
        from bellwether.portfolio.history import keep_history

        keep_history()
        timeline_records.register()
        pre_migrate.connect(_step_aside, sender=self)
        post_migrate.connect(_keep_index, sender=self)


def _step_aside(using: str, plan: Any = None, **_: Any) -> None:
    """Take the search index's triggers away before tables are remade (portfolio.search_index)."""
    from bellwether.portfolio import search_index

    if plan and search_index.installed(connections[using]):
        search_index.remove(connections[using])


def _keep_index(using: str, **_: Any) -> None:
    from bellwether.portfolio import search_index

    search_index.ensure(connections[using])
