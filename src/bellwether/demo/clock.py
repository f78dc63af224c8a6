"""Instants of office work."""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np


def working_instant(day: date, rng: np.random.Generator) -> datetime:
    """Return a UTC instant of `day`, or of the Monday after a weekend, when offices in Europe or America are open."""
    if day.isoweekday() > 5:
        day += timedelta(days=8 - day.isoweekday())
    return datetime.combine(day, time(9), tzinfo=UTC) + timedelta(minutes=int(rng.integers(0, 12 * 60)))
