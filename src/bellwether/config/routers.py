"""Which tables live in which database file when SQLite is used."""

from typing import Any

SPOOL = "spool"
SPOOL_APP = "usage"
SPOOL_MODELS = frozenset({"eventbatch", "flushclaim"})


class SpoolRouter:
    """Keeps the spool in its own SQLite file: intake commits must not wait for a long write of scores."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """Return the spool's alias for its models."""
        return SPOOL if self._is_spool(model._meta.app_label, model._meta.model_name) else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool | None:
        """Allow the spool's tables in its file only, and every other table in the main database only."""
        if model_name is None:
            return db != SPOOL
        return self._is_spool(app_label, model_name) == (db == SPOOL)

    @staticmethod
    def _is_spool(app_label: str, model_name: str | None) -> bool:
        return app_label == SPOOL_APP and model_name in SPOOL_MODELS
