"""Reads the adoption of a client and of its tier, for its page and for the API alike."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

import polars as pl
from django.conf import settings as django_settings
from django.core.cache import BaseCache

from bellwether.common.time import day_of
from bellwether.health.adoption import (
    TREND_WINDOW_DAYS,
    Adoption,
    PortfolioUse,
    TierUse,
    adoption_of,
    portfolio_of,
)
from bellwether.health.feature_use import feature_levels, fits
from bellwether.health.inputs import FeatureSpec, MeasureSettings
from bellwether.health.loading import load_use, workspace_settings
from bellwether.health.reading_use import KeptUse
from bellwether.portfolio.models import Client
from bellwether.usage.licences import effective_licences
from bellwether.usage.models import Feature

KEPT_SECONDS = 60


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
    """Return the adoption of `client` as of now; figures of peers are at most KEPT_SECONDS old (`cache`).

    Archived clients are shown as of the day on which they were archived.
    """
    settings = workspace_settings()
    day = last_day(client, now=now)
    before = day - timedelta(days=TREND_WINDOW_DAYS)
    specs = catalogue_specs(settings)
    loaded = load_use([before, day], settings, client_ids=[client.pk.hex])
    tier = tier_use(client.contract_tier, settings, day=day, cache=cache) if client.archived_at is None else None
    adoption = adoption_of(
        client.pk.hex,
        feature_levels(loaded.inputs, [before, day], settings, with_last_use=False),
        loaded.spans,
        day=day,
        before=before,
        features=specs,
        licences=effective_licences(client, now=client.archived_at or now),
        tier=tier,
    )
    return AdoptionRead(adoption, loaded.inputs.event_days)


def last_day(client: Client, *, now: datetime) -> date:
    """Return the day as of which a client is shown: today, or the day on which it was archived."""
    return day_of(client.archived_at or now, django_settings.BELLWETHER_WORKSPACE_ZONE)


def catalogue_specs(settings: MeasureSettings) -> list[tuple[FeatureSpec, str]]:
    """Return the features of the catalogue with their category, in its order."""
    category = dict(Feature.objects.values_list("key", "category"))
    return [(spec, category.get(spec.key, "")) for spec in settings.features]


def tier_use(tier: str, settings: MeasureSettings, *, day: date, cache: BaseCache) -> TierUse | None:
    """Return the use of a tier on `day`, made for all tiers at once, kept for KEPT_SECONDS; None if empty."""
    return portfolio_use(settings, day=day, cache=cache).tiers.get(tier)


def portfolio_use(settings: MeasureSettings, *, day: date, cache: BaseCache) -> PortfolioUse:
    """Return the use of all clients that are not archived on `day`: one pass, kept for KEPT_SECONDS."""
    key = f"adoption-portfolio:{day}:{sha256(repr(settings.features).encode()).hexdigest()[:16]}"
    kept: PortfolioUse | None = cache.get(key)
    if kept is None:
        kept = read_portfolio(settings, day)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def read_portfolio(settings: MeasureSettings, day: date, *, kept: KeptUse | None = None) -> PortfolioUse:
    """Return the use of all clients that are not archived on `day`; `kept` for another catalogue than the current."""
    active = Client.objects.active().values_list("pk", "contract_tier")
    tiers = {client_id.hex: tier for client_id, tier in active}
    # The same span of days as for one client, so that both share the months that are kept.
    loaded = load_use([day - timedelta(days=TREND_WINDOW_DAYS), day], settings, kept=kept)
    levels = feature_levels(loaded.inputs, [day], settings, with_last_use=False)
    return portfolio_of(levels, tiers)
