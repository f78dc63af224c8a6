"""Reads the adoption of a client and of its tier, for its page and for the API alike."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.conf import settings as django_settings
from django.core.cache import BaseCache

from bellwether.common.time import day_of
from bellwether.health.adoption import (
    TREND_WINDOW_DAYS,
    Adoption,
    TierUse,
    adoption_of,
)
from bellwether.health.feature_use import feature_levels, fits
from bellwether.health.inputs import FeatureSpec, MeasureSettings
from bellwether.health.loading import load_use, workspace_settings
from bellwether.health.portfolio_reading import portfolio_use
from bellwether.portfolio.models import Client
from bellwether.usage.catalogue import features
from bellwether.usage.licences import effective_licences


@dataclass(frozen=True)
class AdoptionRead:
    """The adoption of a client, and the event days (health.inputs.EVENT_DAYS) of its windows that it was made from."""

    adoption: Adoption
    event_days: pl.DataFrame

    def daily_uses(self, spec: FeatureSpec) -> dict[date, int]:
        """Return the uses of a feature by day, days without any left out."""
        rows = self.event_days.filter(fits(spec) if spec.target == "any" else fits(spec) & ~pl.col("is_service"))
        return dict(rows.group_by("date").agg(pl.col("events").sum()).iter_rows())


def read_adoption(client: Client, *, now: datetime, cache: BaseCache) -> AdoptionRead:
    """Return the adoption of `client` as of now; figures of peers are a few minutes old at most (`cache`).

    Archived clients are shown as of the day on which they were archived.
    """
    catalogue = features()
    settings = workspace_settings(catalogue)
    day = last_day(client, now=now)
    before = day - timedelta(days=TREND_WINDOW_DAYS)
    category = {feature.key: feature.category for feature in catalogue}
    loaded = load_use([before, day], settings, client_ids=[client.pk.hex])
    tier = tier_use(client.contract_tier, settings, day=day, cache=cache) if client.archived_at is None else None
    adoption = adoption_of(
        client.pk.hex,
        feature_levels(loaded.inputs, [before, day], settings, with_last_use=False),
        loaded.spans,
        day=day,
        before=before,
        features=[(spec, category.get(spec.key, "")) for spec in settings.features],
        licences=effective_licences(client, now=client.archived_at or now, catalogue=catalogue),
        tier=tier,
    )
    return AdoptionRead(adoption, loaded.inputs.event_days)


def last_day(client: Client, *, now: datetime) -> date:
    """Return the day as of which a client is shown: today, or the day on which it was archived."""
    return day_of(client.archived_at or now, django_settings.BELLWETHER_WORKSPACE_ZONE)


def tier_use(tier: str, settings: MeasureSettings, *, day: date, cache: BaseCache) -> TierUse | None:
    """Return the use of a tier on `day`; None if it has no clients with events."""
    return portfolio_use(settings, day=day, cache=cache).tiers.get(tier)
