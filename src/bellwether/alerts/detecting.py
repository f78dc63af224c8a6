"""Finds alerts over any span of days, for all clients at once. Pure.

Types, conditions and what clears them: formulas.md, section 6, and docs/reference/alerts.md.
"""

from datetime import date

import polars as pl

from bellwether.alerts.frames import EPISODES, Facts, Rules, empty


def detect(
    facts: Facts, rules: Rules, *, first: date, last: date, standing: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the EPISODES that are open on some day from `first` to `last`, ordered by client, type, subject and day.

    `standing` (EPISODES) are those that were open when `first` began, as an earlier call or the database has them:
    they go on, and clear as they would have. With them, detecting day by day finds what detecting all days at once
    does. Without them nothing was open before `first`: what holds on `first` already opens on it.
    """
    return empty(EPISODES)
