"""What the catalogue of features means for the portfolio: events seen, and levels before and after a change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl
from django.core.cache import BaseCache

from bellwether.health.feature_use import LEVEL_NAMES
from bellwether.health.inputs import FeatureSpec, MeasureSettings, settings_from_preset
from bellwether.health.portfolio_reading import KEPT_SECONDS, portfolio_use, read_portfolio
from bellwether.health.reading_use import KeptUse
from bellwether.usage.catalogue_data import FeatureDraft
from bellwether.usage.event_match import EventMatch
from bellwether.usage.facts import facts_path, stored_months
from bellwether.usage.workspace import workspace_lake

SEEN_DAYS = 120
NO_MODULE = ("", "(none)")


@dataclass(frozen=True)
class SeenEvent:
    """An event that arrived within SEEN_DAYS: how often, and at how many clients. `match` is how a feature names it."""

    match: EventMatch
    events: int
    clients: int


@dataclass(frozen=True)
class Seen:
    """What arrived: by name alone, and by name and feature of the event where it carries one. Most frequent first."""

    names: list[SeenEvent]
    features: list[SeenEvent]

    @property
    def all(self) -> list[SeenEvent]:
        """Both lists in one."""
        return [*self.names, *self.features]


@dataclass(frozen=True)
class LevelChange:
    """How many clients are at a level now (0 for a new feature) and would be with the change."""

    level: str
    before: int
    after: int


def seen_events(today: date, *, cache: BaseCache) -> Seen:
    """Return the events of the last SEEN_DAYS days up to `today`; at most KEPT_SECONDS old."""
    key = f"seen-events:{today}"
    kept: Seen | None = cache.get(key)
    if kept is None:
        kept = _read_seen(today)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _read_seen(today: date) -> Seen:
    lake, first = workspace_lake(), today - timedelta(days=SEEN_DAYS - 1)
    months = [month for month in stored_months(lake, "event_days") if month >= first.strftime("%Y-%m")]
    with lake.opened([facts_path(lake, "event_days", month) for month in months]) as files:
        if not files:
            return Seen([], [])
        rows = pl.scan_parquet(files, hive_partitioning=False).filter(pl.col("date") >= first)
        by_name, by_feature = pl.collect_all([_counted(rows, "event"), _counted(rows, "event", "feature")])
    names = [SeenEvent(EventMatch(event), events, clients) for event, events, clients in by_name.iter_rows()]
    # A feature that says no more than its event does is of no help.
    several = by_feature.group_by("event").agg(pl.col("feature").n_unique().alias("n")).filter(pl.col("n") > 1)["event"]
    kept = by_feature.filter(pl.col("event").is_in(several.to_list()) & ~pl.col("feature").is_in(NO_MODULE))
    found = [
        SeenEvent(EventMatch(event, feature=feature), n, clients) for event, feature, n, clients in kept.iter_rows()
    ]
    return Seen(names, found)


def _counted(rows: pl.LazyFrame, *by: str) -> pl.LazyFrame:
    return (
        rows.drop_nulls(list(by))
        .group_by(by)
        .agg(pl.col("events").sum(), pl.col("organization_id").n_unique().alias("clients"))
        .sort("events", *by, descending=[True, *(False for _ in by)])
    )


def spec_of(draft: FeatureDraft, settings: MeasureSettings) -> FeatureSpec:
    """Return the draft as the measures read it."""
    made = settings_from_preset({"features": [draft.as_data()]}, working_days=settings.working_days, zone=settings.zone)
    return made.features[0]


def preview(draft: FeatureDraft, settings: MeasureSettings, today: date, *, cache: BaseCache) -> list[LevelChange]:
    """Return how many active clients with events are at each level of the feature now, and would be with `draft`.

    Nothing is stored. Licences are those recorded for the feature's key, else those of its module.
    """
    before = portfolio_use(settings, day=today, cache=cache).levels.get(draft.key, {})
    changed = replace(settings, features=(spec_of(draft, settings),))
    after = read_portfolio(changed, today, kept=KeptUse()).levels.get(draft.key, {})
    return [LevelChange(name, before.get(name, 0), after.get(name, 0)) for name in LEVEL_NAMES]


def unmatched(seen: Seen, specs: Sequence[FeatureSpec]) -> list[SeenEvent]:
    """Return the events by name that no feature counts, not even in part."""
    named = {event for spec in specs for event in spec.events}
    named |= {match.event for spec in specs for match in spec.matches}
    return [one for one in seen.names if one.match.event not in named]
