"""Which days owe facts, and which owe scores. A mark made while a day is being worked on survives that work."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeVar

from django.db import models
from django.db.models import F

from bellwether.usage.models import DirtyDate, DirtyScore

Mark = TypeVar("Mark", DirtyDate, DirtyScore)


def mark_facts(days: Iterable[date], *, now: datetime) -> None:
    """Say that the facts of `days` are older than their events."""
    _mark(DirtyDate, days, now)


def mark_scores(days: Iterable[date], *, now: datetime) -> None:
    """Say that the scores of `days` are older than their facts or records."""
    _mark(DirtyScore, days, now)


def pending(model: type[Mark]) -> dict[date, int]:
    """Return the marked days with the version of their mark, to be handed to `settle` when the work is stored."""
    return dict(model.objects.values_list("date", "version"))


def settle(model: type[Mark], done: dict[date, int]) -> None:
    """Remove the marks of `done` that nobody renewed meanwhile."""
    for version in set(done.values()):
        days = [day for day, seen in done.items() if seen == version]
        for start in range(0, len(days), 500):
            model.objects.filter(date__in=days[start : start + 500], version=version).delete()


def _mark(model: type[models.Model], days: Iterable[date], now: datetime) -> None:
    wanted = sorted(set(days))
    model.objects.bulk_create(  # type: ignore[attr-defined]
        [model(date=day, version=0, marked_at=now) for day in wanted], ignore_conflicts=True, batch_size=500
    )
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        model.objects.filter(date__in=chunk).update(version=F("version") + 1, marked_at=now)  # type: ignore[attr-defined]
