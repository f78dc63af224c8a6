"""What was open when the days began that are looked at again; and episodes as rows."""

import json
from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO

import polars as pl

from bellwether.alerts.frames import EPISODES, empty, typed
from bellwether.alerts.models import DetectionCheckpoint
from bellwether.alerts.reconciling import Episode

Detect = Callable[[date, date, pl.DataFrame], pl.DataFrame]


def episodes_of(frame: pl.DataFrame) -> list[Episode]:
    """Return the rows of an EPISODES frame."""
    texts = pl.col("subject", "metric", "value", "threshold", "related_type", "related_id").fill_null("")
    rows = frame.select(list(EPISODES)).drop("escalated_on").with_columns(texts).to_dicts()
    return [Episode(**{**row, "evidence": json.loads(row["evidence"] or "{}")}) for row in rows]


def read_checkpoint(otherwise: date) -> tuple[date, pl.DataFrame]:
    """Return the day of the checkpoint and the EPISODES that were open when it began; `otherwise` and none without."""
    row = DetectionCheckpoint.objects.filter(pk=1).first()
    if row is None:
        return otherwise, empty(EPISODES)
    return row.day, typed(pl.read_ipc(BytesIO(bytes(row.episodes))), EPISODES)


def keep_checkpoint(day: date, standing: pl.DataFrame, *, now: datetime) -> None:
    """Keep what was open when `day` began in the place of what was kept before."""
    buffer = BytesIO()
    standing.write_ipc(buffer, compression="zstd")
    values = {"day": day, "episodes": buffer.getvalue(), "made_at": now}
    DetectionCheckpoint.objects.update_or_create(pk=1, defaults=values)


def still_open(episodes: pl.DataFrame) -> pl.DataFrame:
    """Return the episodes that had not cleared on the last day that was looked at."""
    return episodes.filter(pl.col("cleared_on").is_null())
