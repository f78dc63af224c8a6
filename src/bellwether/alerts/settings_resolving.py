"""What holds for each client and kind of alert, from the settings of all scopes. Pure.

The most specific scope wins field by field: client, segment, tier, workspace, then alerts.defaults. Within a scope a
setting of the kind wins over one of all kinds. Mutes add up instead: the latest of all that apply holds.
The client's alert level is a shorthand on top: DASHBOARD_ONLY leaves the product itself as the only medium, NONE leaves
none; what the settings say comes back with PROACTIVE.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
from polars._typing import PolarsDataType

from bellwether.alerts.defaults import IN_APP, KINDS, RESPOND_WITHIN, THRESHOLD_NAMES

Schema = dict[str, PolarsDataType]

WORKSPACE, TIER, SEGMENT, CLIENT = "WORKSPACE", "TIER", "SEGMENT", "CLIENT"
NARROWEST_FIRST = (CLIENT, SEGMENT, TIER, WORKSPACE)
PROACTIVE, DASHBOARD_ONLY, NONE = "PROACTIVE", "DASHBOARD_ONLY", "NONE"

THRESHOLDS = pl.Struct(dict.fromkeys(THRESHOLD_NAMES, pl.Float64))
"""Every threshold by name; null where a kind has none of that name, and in settings where they leave it open."""

_INSTANT = pl.Datetime("us", "UTC")

SETTINGS: Schema = {
    "scope": pl.String,
    "scope_value": pl.String,
    "client_id": pl.String,
    "alert_type": pl.String,
    "is_enabled": pl.Boolean,
    "thresholds": THRESHOLDS,
    "severity": pl.String,
    "media": pl.List(pl.String),
    "respond_within_hours": pl.Int64,
    "muted_until": _INSTANT,
}
"""Settings; null is "what the wider scope says". `alert_type` "": all kinds. `scope_value`: the tier or segment."""

CLIENTS: Schema = {"client_id": pl.String, "tier": pl.String, "segment": pl.String, "level": pl.String}
"""Clients (32 hex) with what their settings depend on. `segment` "": in none."""

RULES: Schema = {
    "client_id": pl.String,
    "alert_type": pl.String,
    "enabled": pl.Boolean,
    "severity": pl.String,
    "thresholds": THRESHOLDS,
    "media": pl.List(pl.String),
    "respond_within_hours": pl.Int64,
    "muted_until": _INSTANT,
    "level": pl.String,
}
"""One row per client and kind of alert. `media`: those told at once, after the level; empty: nobody is told.

`enabled` is what the settings say; the level does not change it, so that alerts are kept silently meanwhile.
"""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting as the model has it; None and empty `thresholds`: what the wider scope says. `client_id` 32 hex."""

    scope: str
    scope_value: str = ""
    client_id: str | None = None
    alert_type: str = ""
    is_enabled: bool | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    severity: str | None = None
    media: tuple[str, ...] | None = None
    respond_within_hours: int | None = None
    muted_until: datetime | None = None
    mute_reason: str = ""

    @property
    def place(self) -> tuple[str, str, str | None, str]:
        """What one setting only can have: scope, value, client, kind."""
        return self.scope, self.scope_value, self.client_id, self.alert_type

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        said = (self.is_enabled, self.severity, self.media, self.respond_within_hours, self.muted_until)
        return not self.thresholds and all(one is None for one in said)


def settings_frame(settings: Iterable[Setting]) -> pl.DataFrame:
    """Return the settings as a frame of SETTINGS."""
    rows = [
        {
            "scope": one.scope,
            "scope_value": one.scope_value,
            "client_id": one.client_id,
            "alert_type": one.alert_type,
            "is_enabled": one.is_enabled,
            "thresholds": {
                name: float(one.thresholds[name]) if name in one.thresholds else None for name in THRESHOLD_NAMES
            },
            "severity": one.severity,
            "media": None if one.media is None else list(one.media),
            "respond_within_hours": one.respond_within_hours,
            "muted_until": one.muted_until,
        }
        for one in settings
    ]
    return pl.DataFrame(rows, schema=SETTINGS)


def with_drafts(settings: Iterable[Setting], drafts: Iterable[Setting]) -> list[Setting]:
    """Return the settings as they would be with `drafts` in their places."""
    kept = {one.place: one for one in settings}
    kept |= {one.place: one for one in drafts}
    return [one for one in kept.values() if not one.is_empty]


def effective(settings: pl.DataFrame, clients: pl.DataFrame) -> pl.DataFrame:
    """Return RULES for every row of `clients` (CLIENTS) and every kind of alert, under `settings` (SETTINGS)."""
    frame = clients.select(list(CLIENTS)).join(_defaults(), how="cross")
    settings = settings.unnest("thresholds")
    said = [*_FIELDS, "muted_until"]
    layers = []
    for number, (scope, keys, of_kind) in enumerate(_LAYERS):
        rows = settings.filter(
            pl.col("scope") == scope, pl.col("alert_type") != "" if of_kind else pl.col("alert_type") == ""
        )
        if rows.is_empty():
            continue
        renamed = rows.rename(_NAMES.get(scope, {}), strict=False) if scope != CLIENT else rows
        joined_on = [*keys, "alert_type"] if of_kind else list(keys)
        columns = [pl.col(name).alias(f"{name}:{number}") for name in said]
        part = renamed.select(*joined_on, *columns)
        frame = frame.join(part, on=joined_on, how="left") if joined_on else frame.join(part, how="cross")
        layers.append(number)
    values = [
        pl.coalesce(*(f"{name}:{number}" for number in layers), f"{name}:default").alias(name) for name in _FIELDS
    ]
    mutes = [pl.lit(None, dtype=_INSTANT), *(pl.col(f"muted_until:{number}") for number in layers)]
    return (
        frame.with_columns(*values, muted_until=pl.max_horizontal(mutes))
        .with_columns(
            enabled=pl.col("is_enabled"),
            thresholds=pl.struct([pl.col(name) for name in THRESHOLD_NAMES]),
            media=_after_level(),
            respond_within_hours=pl.coalesce(
                "respond_within_hours",
                pl.col("severity").replace_strict(dict(RESPOND_WITHIN), return_dtype=pl.Int64, default=None),
            ),
        )
        .select(list(RULES))
        .sort("client_id", "alert_type")
    )


def after_level(media: Collection[str], level: str) -> list[str]:
    """Return which of `media` a client's alert level leaves, as `effective` does."""
    return [one for one in media if level == PROACTIVE or (level == DASHBOARD_ONLY and one == IN_APP)]


_FIELDS = ("is_enabled", "severity", "media", "respond_within_hours", *THRESHOLD_NAMES)
_KEYS: Mapping[str, tuple[str, ...]] = {CLIENT: ("client_id",), SEGMENT: ("segment",), TIER: ("tier",), WORKSPACE: ()}
_NAMES: Mapping[str, dict[str, str]] = {SEGMENT: {"scope_value": "segment"}, TIER: {"scope_value": "tier"}}
_LAYERS = [(scope, _KEYS[scope], of_kind) for scope in NARROWEST_FIRST for of_kind in (True, False)]


def _defaults() -> pl.DataFrame:
    rows = [
        {
            "alert_type": kind.alert_type,
            "is_enabled:default": True,
            "severity:default": kind.severity,
            "media:default": list(kind.media),
            "respond_within_hours:default": None,
            **{f"{name}:default": kind.defaults.get(name) for name in THRESHOLD_NAMES},
        }
        for kind in KINDS
    ]
    kinds: Schema = {
        "is_enabled": pl.Boolean,
        "severity": pl.String,
        "media": pl.List(pl.String),
        "respond_within_hours": pl.Int64,
        **dict.fromkeys(THRESHOLD_NAMES, pl.Float64),
    }
    return pl.DataFrame(rows, schema={"alert_type": pl.String} | {f"{name}:default": kinds[name] for name in _FIELDS})


def _after_level() -> pl.Expr:
    """Return the media that the client's level leaves."""
    in_app = pl.lit(IN_APP)
    only = pl.col("media").list.set_intersection(pl.concat_list(in_app))
    nobody = pl.lit([], dtype=pl.List(pl.String))
    return (
        pl.when(pl.col("level") == PROACTIVE)
        .then(pl.col("media"))
        .when(pl.col("level") == DASHBOARD_ONLY)
        .then(only)
        .otherwise(nobody)
    )
