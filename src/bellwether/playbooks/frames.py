"""What triggers and conditions are asked of, as frames: one row a client, an open alert, a day's score … Pure."""

from dataclasses import dataclass, field
from datetime import date

import polars as pl
from polars._typing import PolarsDataType

Schema = dict[str, PolarsDataType]

CLIENTS: Schema = {
    "client_id": pl.String,
    "name": pl.String,
    "country": pl.String,
    "tier": pl.String,
    "arr": pl.Float64,
    "score": pl.Int64,
    "status": pl.String,
    "industry": pl.String,
    "region": pl.String,
    "segment": pl.String,
    "tags": pl.List(pl.String),
    "csm": pl.String,
    "renewal_on": pl.Date,
    "start": pl.Date,
    "go_live": pl.Date,
    "last_login": pl.Date,
    "last_contact": pl.Date,
}
"""Clients that are neither archived nor gone. `client_id` is 32 hex, `csm` an e-mail address in small letters."""
ALERTS: Schema = {
    "alert_id": pl.String,
    "client_id": pl.String,
    "type": pl.String,
    "severity": pl.String,
    "opened_on": pl.Date,
    "title": pl.String,
    "related_type": pl.String,
    "related_id": pl.String,
}
"""Alerts that still hold, told somebody, and that nobody dismissed or resolved."""
SCORES: Schema = {"client_id": pl.String, "date": pl.Date, "score": pl.Int64, "status": pl.String}
"""Scores of the days that a trigger looks back, and of HISTORY_DAYS before them."""
SEGMENTS: Schema = {"client_id": pl.String, "segment": pl.String, "entered_on": pl.Date}
MILESTONES: Schema = {"client_id": pl.String, "type": pl.String, "name": pl.String, "achieved_on": pl.Date}
MEASURES: Schema = {"client_id": pl.String, "measure": pl.String, "value": pl.Float64}
MET: Schema = {
    "client_id": pl.String,
    "episode": pl.String,
    "since": pl.Date,
    "reason": pl.String,
    "related_type": pl.String,
    "related_id": pl.String,
}
"""Who meets a trigger: `episode` tells occasions of one client apart, `reason` says why in words."""


def empty(schema: Schema) -> pl.DataFrame:
    """Return a frame of `schema` without rows."""
    return pl.DataFrame(schema=schema)


@dataclass(frozen=True)
class TriggerFacts:
    """What triggers and conditions are asked of on the workspace day `today`. Frames that nobody asks for are empty."""

    today: date
    clients: pl.DataFrame
    alerts: pl.DataFrame = field(default_factory=lambda: empty(ALERTS))
    scores: pl.DataFrame = field(default_factory=lambda: empty(SCORES))
    segments: pl.DataFrame = field(default_factory=lambda: empty(SEGMENTS))
    milestones: pl.DataFrame = field(default_factory=lambda: empty(MILESTONES))
    measures: pl.DataFrame = field(default_factory=lambda: empty(MEASURES))
