"""Times without use of a feature, from daily use and levels (health.feature_use). Pure."""

import numpy as np
import polars as pl

from bellwether.alerts.frames import FEATURE_GAPS, typed
from bellwether.health.feature_use import FeatureUse, Level
from bellwether.health.grids import Grid, Ints

SHORTEST_GAP_DAYS = 7
"""Shorter times without use are left out: no rule looks at them."""
LEVEL_DAYS = 90
NO_DAY = 2**40


def feature_gaps(use: FeatureUse, grid: Grid) -> pl.DataFrame:
    """Return FEATURE_GAPS of one feature on the wanted dates of `grid`, which follow each other without a gap.

    Each client's time before its first use among these dates is there, too, without `last_used`.
    """
    daily = grid.take(use.running) - grid.take(use.running, 1)
    used, licensed = daily > 0, use.level != Level.NOT_LICENSED
    following = _next(used, grid)
    unlicensed = _next(~licensed, grid)
    ends = np.minimum(following, unlicensed)
    last = int(grid.wanted[-1])
    gap = np.minimum(ends, last + 1) - grid.wanted[None, :]
    rows, columns = np.nonzero(used & (gap >= SHORTEST_GAP_DAYS))
    before = _before_first_use(use, grid, np.minimum(_first(used, grid), _first(~licensed, grid)), last)
    if not len(rows):
        return before
    level = np.maximum(use.level, Level.ACTIVE * _within(use.level >= Level.ACTIVE)).astype(np.int64)
    level = np.maximum(level, Level.POWER * _within(use.level >= Level.POWER))
    end = ends[rows, columns]
    days = {"last_used": grid.wanted[columns], "next_used": end}
    found = pl.DataFrame(
        {"client_id": grid.client_ids.gather(rows), "level": level[rows, columns], **days}
    ).with_columns(
        feature_key=pl.lit(use.spec.key),
        feature_name=pl.lit(use.spec.name),
        period_days=pl.lit(use.spec.days, pl.Int64),
        last_used=pl.col("last_used").cast(pl.Int32).cast(pl.Date),
        next_used=pl.when(pl.col("next_used") <= last).then(pl.col("next_used")).cast(pl.Int32).cast(pl.Date),
    )
    return pl.concat([typed(found, FEATURE_GAPS), before])


def _first(mask: np.ndarray, grid: Grid) -> Ints:
    """Return by client the first day on which `mask` holds, NO_DAY where there is none."""
    found: Ints = np.where(mask, grid.wanted[None, :], NO_DAY).min(axis=1, initial=NO_DAY)
    return found


def _before_first_use(use: FeatureUse, grid: Grid, first: Ints, last: int) -> pl.DataFrame:
    found = pl.DataFrame({"client_id": grid.client_ids, "next_used": first}).with_columns(
        feature_key=pl.lit(use.spec.key),
        feature_name=pl.lit(use.spec.name),
        level=pl.lit(int(Level.ACTIVE), pl.Int64),
        period_days=pl.lit(use.spec.days, pl.Int64),
        next_used=pl.when(pl.col("next_used") <= last).then(pl.col("next_used")).cast(pl.Int32).cast(pl.Date),
    )
    return typed(found, FEATURE_GAPS)


def _next(mask: np.ndarray, grid: Grid) -> Ints:
    """Return (clients, dates): the first later day on which `mask` holds, NO_DAY where there is none."""
    days = np.where(mask, grid.wanted[None, :], NO_DAY)
    later = np.full_like(days, NO_DAY)
    later[:, :-1] = np.minimum.accumulate(days[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return later


def _within(mask: np.ndarray) -> Ints:
    """Return whether `mask` holds on one of the LEVEL_DAYS days that end on each date."""
    running = np.concatenate([np.zeros((mask.shape[0], 1), np.int64), np.cumsum(mask, axis=1)], axis=1)
    days = np.arange(1, mask.shape[1] + 1)
    found: Ints = (running[:, days] - running[:, np.maximum(days - LEVEL_DAYS, 0)] > 0).astype(np.int64)
    return found
