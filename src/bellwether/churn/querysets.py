"""What is stored of churn does not change: queries refuse to, before the database does (churn.guard)."""

from datetime import datetime
from typing import Any, NoReturn, TypeVar

from django.db import models, transaction

from bellwether.common.errors import BellwetherError
from bellwether.portfolio.querysets import OfClientQuerySet

M = TypeVar("M", bound=models.Model, covariant=True)
STATE_FIELDS = frozenset({"state", "activated_at", "retired_at"})
"""What changes of a version after it was stored."""


class UnchangeableError(BellwetherError):
    """Somebody tried to change or remove what is kept as it was stored."""


def refuse_prediction() -> NoReturn:
    """Raise UnchangeableError about predictions."""
    raise UnchangeableError("A prediction stays as it was made: it can neither be changed nor removed.")


def refuse_version() -> NoReturn:
    """Raise UnchangeableError about versions."""
    raise UnchangeableError("A version of the churn model stays as it was trained: only its state changes.")


class PredictionQuerySet(OfClientQuerySet[M]):
    """Predictions. Removing is left to `thin` and `erase`, which the database allows (docs/adr/0049)."""

    def update(self, **_: Any) -> int:
        """Refuse with UnchangeableError."""
        refuse_prediction()

    def bulk_update(self, *_: Any, **__: Any) -> int:
        """Refuse with UnchangeableError."""
        refuse_prediction()

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse with UnchangeableError."""
        refuse_prediction()

    def thin(self) -> int:
        """Remove these rows and return how many. The database refuses the first of a client, version and ISO week."""
        return int(self._raw_delete(self.db) or 0)  # type: ignore[attr-defined]

    def erase(self, *, reason: str, now: datetime) -> int:
        """Remove all predictions of the clients of these rows, who go themselves, and return how many; it is noted."""
        from bellwether.churn.models import PredictionRemoval

        clients = list(self.order_by().values_list("client_id", flat=True).distinct())
        with transaction.atomic():
            PredictionRemoval.objects.bulk_create(
                [PredictionRemoval(client_id=one, reason=reason[:200], removed_at=now) for one in clients],
                ignore_conflicts=True,
            )
            rows = self.model._default_manager.filter(client_id__in=clients).order_by()
            return int(rows._raw_delete(rows.db) or 0)


class VersionQuerySet(models.QuerySet[M]):
    """Versions of the model."""

    def update(self, **fields: Any) -> int:
        """Change the state alone; UnchangeableError for anything else."""
        if not set(fields) <= STATE_FIELDS:
            refuse_version()
        return int(super().update(**fields))

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse with UnchangeableError."""
        refuse_version()
