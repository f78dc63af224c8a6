"""Reads the adoption of a client and of its tier, for its page and for the API alike."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

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
)
from bellwether.health.cohorts import AT_LEAST
from bellwether.health.feature_use import feature_levels, fits
from bellwether.health.inputs import FeatureSpec
from bellwether.health.loading import load_use, workspace_settings
from bellwether.health.portfolio_reading import portfolio_use
from bellwether.health.published_groups import counted_members
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
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


def read_adoption(client: Client, *, user: StaffUser, now: datetime, cache: BaseCache) -> AdoptionRead:
    """Return the adoption of `client` as of now, with the peers that `user` may be shown.

    Figures of peers are a few minutes old at most (`cache`).

    Archived clients are shown as of the day on which they were archived.
    """
    catalogue = features()
    settings = workspace_settings(catalogue)
    day = last_day(client, now=now)
    before = day - timedelta(days=TREND_WINDOW_DAYS)
    category = {feature.key: feature.category for feature in catalogue}
    loaded = load_use([before, day], settings, client_ids=[client.pk.hex])
    tier, held_back = None, False
    if client.archived_at is None:
        tier, held_back = _shown(user, client, portfolio_use(settings, day=day, cache=cache))
    adoption = adoption_of(
        client.pk.hex,
        feature_levels(loaded.inputs, [before, day], settings, with_last_use=False),
        loaded.spans,
        day=day,
        before=before,
        features=[(spec, category.get(spec.key, "")) for spec in settings.features],
        licences=effective_licences(client, now=client.archived_at or now, catalogue=catalogue),
        tier=tier,
        held_back=held_back,
    )
    return AdoptionRead(adoption, loaded.inputs.event_days)


def last_day(client: Client, *, now: datetime) -> date:
    """Return the day as of which a client is shown: today, or the day on which it was archived."""
    return day_of(client.archived_at or now, django_settings.BELLWETHER_WORKSPACE_ZONE)


def _shown(user: StaffUser, client: Client, use: PortfolioUse) -> tuple[TierUse | None, bool]:
    """Return the use of the client's tier by those who count for `user`, and whether the tier is held back."""
    tier = use.tiers.get(client.contract_tier)
    if tier is None or user.sees_all_clients:
        return tier, False
    others = [UUID(one) for one in tier.client_ids if one != client.pk.hex]
    if len(others) < AT_LEAST:
        return tier, False
    everybody = [UUID(one) for found in use.tiers.values() for one in found.client_ids]
    scored = [
        UUID(one)
        for found in use.tiers.values()
        for one, score in zip(found.client_ids, found.scores, strict=True)
        if score is not None
    ]
    value = client.contract_tier
    using = counted_members(user, "tier", value, members=others, reporting=everybody)
    among = set(scored)
    rated = counted_members(
        user, "tier", value, members=[one for one in others if one in among], reporting=scored, metric="adoption"
    )
    if using is None:
        return None, True
    kept = [place for place, one in enumerate(tier.client_ids) if one == client.pk.hex or UUID(one) in using]
    scores = [tier.scores[place] if rated and UUID(tier.client_ids[place]) in rated else None for place in kept]
    shown = replace(
        tier,
        client_ids=[tier.client_ids[place] for place in kept],
        use={key: [values[place] for place in kept] for key, values in tier.use.items()},
        share={key: [values[place] for place in kept] for key, values in tier.share.items()},
        scores=scores,
    )
    return shown, rated is None and len(among) >= AT_LEAST
